"""Scores become words: thresholds, the gate, regions, sides."""

import dataclasses

import numpy as np
import pytest

from models.preprocess.radiograph import ModelGeometry, to_model_input
from radgen.domain.errors import PackError
from radgen.domain.finding import Certainty, ImageEvidence, Presence, Side, Source
from radgen.domain.image import Radiograph
from radgen.drafting.assess_radiograph import assess_radiograph, certainty_of
from radgen.drafting.engine import Reading
from radgen.drafting.evidence_region import find_regions

LABELS = 4  # of the tiny pack: pleural-effusion, pneumothorax, cardiomegaly, consolidation
WIDE = ModelGeometry(height=2600, width=2600, top=0, left=0, scale_y=0.1, scale_x=0.1)


@pytest.fixture
def radiograph():
    pixels = np.linspace(0, 1, 2600 * 26, dtype=np.float32).reshape(260, 260)
    return Radiograph(pixels, None, "PA", ImageEvidence("1.2", "1.2.3", "1.2.4"))


def read(logits=(0.0,) * LABELS, gate=(4.0, 0.0), spots=()):
    """A reading with the map of label 0 high at the cells `spots`."""
    evidence = np.zeros((LABELS, 9, 9), np.float32)
    for row, column in spots:
        evidence[:, row, column] = 5.0
    return Reading(np.array(logits, np.float32), evidence, np.array(gate, np.float32), "")


def test_two_thresholds_make_three_answers(radiograph, pack):
    found = assess_radiograph(radiograph, read((2.0, -2.0, 0.0, 0.1)), WIDE, pack).findings
    assert [each.presence for each in found[:LABELS]] == [
        Presence.PRESENT,
        Presence.ABSENT,
        Presence.NOT_ASSESSED,
        Presence.NOT_ASSESSED,
    ]
    assert found[0].probability == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-6)
    assert [each.reason for each in found[:LABELS]] == [None, None, "uncertain", "uncertain"]
    assert [each.certainty is None for each in found[:LABELS]] == [False, True, True, True]
    assert {each.source for each in found[:LABELS]} == {Source.CLASSIFIER}


def test_what_the_pack_has_no_score_for_is_not_assessed(radiograph, pack):
    structure = assess_radiograph(radiograph, read(), WIDE, pack)
    rest = {each.finding: each for each in structure.findings[LABELS:]}
    assert {"fracture", "hernia", "atelectasis"} <= rest.keys()
    assert "ground-glass-opacity" not in rest  # no film can show it
    assert {each.presence for each in rest.values()} == {Presence.NOT_ASSESSED}
    assert {each.reason for each in rest.values()} == {"no-model"}
    assert structure.pack.digest == pack.digest
    assert structure.images == (radiograph.evidence,)


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (0.99, Certainty.CONSISTENT_WITH),
        (0.95, Certainty.CONSISTENT_WITH),
        (0.94, Certainty.PROBABLE),
        (0.6, Certainty.POSSIBLE),
        (0.2, Certainty.NOT_EXCLUDED),
    ],
)
def test_the_word_follows_the_probability(probability, word):
    assert certainty_of(probability) is word


@pytest.mark.parametrize(
    ("kind", "reason", "details"),
    [
        ("lateral", "lateral-view", ""),
        ("inverted", "inverted-image", ""),
        ("ct", "not-a-frontal-chest", "ct"),
        ("other", "not-a-frontal-chest", "other"),
    ],
)
def test_a_picture_of_another_kind_is_refused_and_nothing_is_said(
    radiograph, pack, kind, reason, details
):
    other = dataclasses.replace(pack, gate=dataclasses.replace(pack.gate, kinds=("frontal", kind)))
    structure = assess_radiograph(radiograph, read(gate=(0.0, 4.0)), WIDE, other)
    assert structure.refusal == reason
    assert structure.details == details
    assert structure.findings == ()
    assert structure.pack is None


def test_a_picture_that_is_hardly_frontal_is_refused(radiograph, pack):
    structure = assess_radiograph(radiograph, read(gate=(0.5, 0.0)), WIDE, pack)
    assert structure.refusal == "not-a-frontal-chest"
    assert structure.details == ""


def test_a_blank_film_is_refused_whatever_the_gate_says(radiograph, pack):
    blank = dataclasses.replace(radiograph, pixels=np.full((260, 260), 0.3, np.float32))
    assert assess_radiograph(blank, read((9.0,) * 4), WIDE, pack).refusal == "blank-image"


def test_a_region_lies_on_the_stored_pixels(radiograph, pack):
    found = assess_radiograph(radiograph, read((3, 0, 0, 0), spots=[(5, 1), (6, 1)]), WIDE, pack)
    box = found.findings[0].evidence[0].box
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((320, 1600, 640, 2240))
    assert found.findings[0].evidence[0].sop_instance_uid == "1.2.3"


@pytest.mark.parametrize("shape", [(2600, 2600), (3000, 2400), (2000, 2500)])
def test_a_mirrored_picture_swaps_the_sides(shape):
    geometry = to_model_input(np.random.default_rng(0).random(shape, np.float32)).geometry
    activation = np.zeros((9, 9), np.float32)
    activation[4:6, 2] = 1.0  # the picture's left
    mirrored = np.zeros((9, 9), np.float32)
    mirrored[4:6, 5:7] = 1.0  # the same pixels counted from the other edge touch two columns
    assert find_regions(activation, geometry).side is Side.RIGHT
    assert find_regions(mirrored, geometry).side is Side.LEFT


def test_one_region_on_each_side_is_bilateral_with_two_boxes():
    activation = np.zeros((9, 9), np.float32)
    activation[6, [1, 6]] = 1.0
    regions = find_regions(activation, WIDE)
    assert regions.side is Side.BILATERAL
    assert len(regions.boxes) == 2


def test_a_region_over_the_middle_has_no_side():
    activation = np.zeros((9, 9), np.float32)
    activation[5, 3:6] = 1.0
    regions = find_regions(activation, WIDE)
    assert regions.side is None
    assert len(regions.boxes) == 1


def test_a_light_second_region_is_left_out():
    activation = np.zeros((9, 9), np.float32)
    activation[2:5, 1:3] = 1.0
    activation[6, 6] = 0.9
    regions = find_regions(activation, WIDE)
    assert regions.side is Side.RIGHT
    assert len(regions.boxes) == 1


def test_activation_in_the_padding_is_not_evidence():
    geometry = ModelGeometry(height=260, width=100, top=0, left=80, scale_y=1.0, scale_x=1.0)
    activation = np.zeros((9, 9), np.float32)
    activation[4, 0] = 9.0
    activation[4, 3] = 1.0
    box = find_regions(activation, geometry).boxes[0]
    assert (box.left, box.right) == (16.0, 48.0)


@pytest.mark.parametrize("activation", [np.zeros((9, 9)), np.indices((9, 9))[0] > 1])
def test_a_map_that_points_at_everything_or_nothing_has_no_region(activation):
    regions = find_regions(activation.astype(np.float32), WIDE)
    assert regions.boxes == ()
    assert regions.side is None


def test_without_a_region_the_whole_image_is_the_evidence(radiograph, pack):
    finding = assess_radiograph(radiograph, read((3, 0, 0, 0)), WIDE, pack).findings[0]
    assert finding.evidence == (radiograph.evidence,)
    assert finding.side is None


def test_the_heart_has_no_side(radiograph, pack):
    structure = assess_radiograph(radiograph, read((3, 0, 3, 0), spots=[(5, 6)]), WIDE, pack)
    effusion, heart = structure.findings[0], structure.findings[2]
    assert effusion.side is Side.LEFT
    assert heart.presence is Presence.PRESENT
    assert heart.side is None
    assert heart.evidence[0].box is not None


@pytest.mark.parametrize(
    "reading",
    [
        read((0.0,) * 3),
        read((float("nan"), 0, 0, 0)),
        read(gate=(1.0,)),
        read(spots=()).__class__(np.zeros(4), np.zeros((3, 9, 9)), np.zeros(2), ""),
    ],
)
def test_scores_that_do_not_fit_the_pack_are_an_error(radiograph, pack, reading):
    with pytest.raises(PackError):
        assess_radiograph(radiograph, reading, WIDE, pack)


def test_a_pack_without_a_gate_reads_every_picture(radiograph, pack):
    structure = assess_radiograph(
        radiograph, read(gate=()), WIDE, dataclasses.replace(pack, gate=None)
    )
    assert structure.refusal is None


def test_a_label_that_no_table_knows_is_an_error(radiograph, pack):
    labels = (dataclasses.replace(pack.labels[0], finding="dragon"), *pack.labels[1:])
    with pytest.raises(PackError, match="dragon"):
        assess_radiograph(radiograph, read(), WIDE, dataclasses.replace(pack, labels=labels))
