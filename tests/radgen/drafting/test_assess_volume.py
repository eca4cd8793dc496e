"""Measurements become words; what was not measured becomes a caution with its reason."""

import dataclasses

import numpy as np
import pytest

from models.ct_quant.measure import CtQuantities, Quantity, Reason
from models.pack import PACKS, load_pack
from radgen.compose.compose import compose
from radgen.domain.finding import ImageEvidence, Presence, Side
from radgen.domain.image import Volume
from radgen.drafting.assess_volume import assess_volume, structure_of
from radgen.knowledge import reasons

SLICES = tuple(ImageEvidence("1.2", f"1.2.{n}", "1.3") for n in range(100))


@pytest.fixture(scope="module")
def pack():
    return load_pack(PACKS / "ct-chest-quant")


@pytest.fixture(scope="module")
def phantom():
    """A water cylinder with two lungs of -850 HU, the right one larger: index grows to S, P, L."""
    z, y, x = np.meshgrid(
        np.linspace(-1, 1, 100), np.linspace(-1, 1, 160), np.linspace(-1, 1, 160), indexing="ij"
    )
    voxels = np.full(z.shape, -1000, np.int16)
    voxels[(y / 0.7) ** 2 + (x / 0.9) ** 2 < 1] = 40
    voxels[((x + 0.42) / 0.33) ** 2 + (y / 0.5) ** 2 + (z / 0.8) ** 2 < 1] = -850  # right
    voxels[((x - 0.42) / 0.27) ** 2 + (y / 0.5) ** 2 + (z / 0.8) ** 2 < 1] = -850  # left
    return Volume(voxels, (3.0, 2.2, 2.2), (0.0, 0.0, 0.0), "[hnsf'U]", SLICES, kernel="B30f")


def test_lungs_are_measured_on_their_own_sides(phantom, pack):
    structure = assess_volume(phantom, pack)
    values = {each.quantity: each for each in structure.measurements}
    assert values["lung-volume-right"].value > values["lung-volume-left"].value > 300
    assert values["lung-volume-right"].side is Side.RIGHT
    total = values["lung-volume-right"].value + values["lung-volume-left"].value
    assert values["lung-volume-total"].value == pytest.approx(total)
    assert values["mean-lung-density"].value == pytest.approx(-850, abs=5)
    assert structure.cautions == ()
    assert structure.pack.name == "ct-chest-quant"


def test_a_mirrored_volume_swaps_the_sides(phantom, pack):
    mirrored = dataclasses.replace(phantom, voxels=phantom.voxels[:, :, ::-1].copy())
    values = {m.quantity: m.value for m in assess_volume(phantom, pack).measurements}
    swapped = {m.quantity: m.value for m in assess_volume(mirrored, pack).measurements}
    assert swapped["lung-volume-right"] == pytest.approx(values["lung-volume-left"], rel=0.02)
    assert swapped["lung-volume-left"] == pytest.approx(values["lung-volume-right"], rel=0.02)


def test_no_finding_is_assessed_and_the_key_slice_comes_first(phantom, pack):
    structure = assess_volume(phantom, pack)
    assert {each.presence for each in structure.findings} == {Presence.NOT_ASSESSED}
    assert {each.reason for each in structure.findings} == {"no-model"}
    assert len(structure.images) == len(SLICES)
    assert set(structure.images) == set(SLICES)
    assert structure.images[0] in SLICES[40:60]


def test_a_scan_without_lungs_is_a_caution_with_its_reason(phantom, pack):
    water = dataclasses.replace(phantom, voxels=np.full_like(phantom.voxels, 40))
    structure = assess_volume(water, pack)
    assert structure.measurements == ()
    assert structure.cautions == ("segmentation-failed",)
    assert structure.details
    assert structure.images == SLICES


def test_density_is_not_given_for_a_sharp_kernel(phantom, pack):
    structure = assess_volume(dataclasses.replace(phantom, kernel="B70f"), pack)
    assert "laa-950" not in {each.quantity for each in structure.measurements}
    assert structure.cautions == ("other-kernel",)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(phantom, pack, reason):
    quantity = Quantity("laa-950", "%", "method", reason=reason)
    structure = structure_of(CtQuantities((quantity,), None, "", contrast=False), phantom, pack)
    assert structure.cautions == (str(reason),)
    assert reasons.entry(str(reason))


def test_the_structure_reads_as_a_report(phantom, pack):
    assert all(text.sections for text in compose(assess_volume(phantom, pack)))
