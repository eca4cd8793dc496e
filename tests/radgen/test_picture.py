import io

import numpy as np
import pytest
from PIL import Image

from radgen.domain.finding import Box, Finding, ImageEvidence, Presence, Source
from radgen.domain.image import Radiograph, Volume
from radgen.picture import LUNG_WINDOW_HU, render_radiograph, render_slice

EVIDENCE = ImageEvidence("1.2", "1.2.3", "1.2.3.4")
YELLOW = np.array([255, 196, 0])


def film(height=100, width=100):
    return Radiograph(np.full((height, width), 0.5, np.float32), None, "PA", EVIDENCE)


def finding(box, presence=Presence.PRESENT, uid="1.2.3"):
    evidence = ImageEvidence("1.2", uid, "1.2.3.4", box=box)
    return Finding("lung-opacity", presence, Source.CLASSIFIER, evidence=(evidence,))


def volume(**changes):
    voxels = np.full((2, 40, 80), -600, np.int16)
    slices = (ImageEvidence("1.2", "7.0", "7"), ImageEvidence("1.2", "7.1", "7"))
    return Volume(voxels, (5.0, 2.0, 1.0), (0, 0, 0), "[hnsf'U]", slices, **changes)


def pixels(png):
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return np.asarray(picture).astype(int)


def marked(array):
    """Rows and columns of a box's lines: rows and columns that are mostly yellow."""
    yellow = (np.abs(array - YELLOW).sum(axis=2) < 10)[:, :]
    rows, columns = yellow.sum(axis=1), yellow.sum(axis=0)
    return np.nonzero(rows > 0.9 * rows.max())[0], np.nonzero(columns > 0.9 * columns.max())[0]


def test_a_box_lies_where_the_evidence_says():
    array = pixels(render_radiograph(film(), [finding(Box(20, 40, 70, 80))], size=500))
    assert array.shape == (500, 500, 3)
    rows, columns = marked(array)
    assert (rows.min(), columns.min()) == (200, 100)
    assert (rows.max(), columns.max()) == (400, 350)


@pytest.mark.parametrize(
    "odd",
    [
        finding(Box(20, 40, 70, 80), presence=Presence.ABSENT),
        finding(Box(20, 40, 70, 80), presence=Presence.NOT_ASSESSED),
        finding(Box(20, 40, 70, 80), uid="9.9"),
        finding(None),
    ],
)
def test_only_present_findings_of_this_image_are_marked(odd):
    assert render_radiograph(film(), [odd]) == render_radiograph(film(), [])


def test_every_picture_says_that_it_is_a_draft_and_names_the_sides():
    array = pixels(render_radiograph(film(), [], size=600))
    bright = (array > 240).all(axis=2)
    assert bright[570:, :400].any()
    assert bright[290:330, :40].any()
    assert bright[290:330, 560:].any()
    assert not bright[:250].any()


def test_the_longer_side_has_the_size_asked_for():
    assert pixels(render_radiograph(film(100, 50), [], size=200)).shape == (200, 100, 3)
    assert pixels(render_radiograph(film(), [], size=10**9)).shape == (4096, 4096, 3)


def test_the_same_input_is_the_same_picture():
    args = (film(), [finding(Box(1, 2, 30, 40))])
    assert render_radiograph(*args) == render_radiograph(*args)


def test_pixels_of_a_slice_are_square_in_the_patient():
    """40 rows of 2 mm and 80 columns of 1 mm are a square."""
    assert pixels(render_slice(volume(), 0, LUNG_WINDOW_HU, [], size=200)).shape == (200, 200, 3)


def test_the_window_maps_its_centre_to_grey():
    array = pixels(render_slice(volume(), 0, (-600, 1000), [], size=200))
    assert abs(int(np.median(array)) - 128) <= 1
    assert np.median(pixels(render_slice(volume(), 0, (400, 100), [], size=200))) == 0


@pytest.mark.parametrize(
    ("flips", "left", "top"),
    [
        ({}, 10, 4),
        ({"flipped_columns": True}, 50, 4),
        ({"flipped_rows": True}, 10, 26),
    ],
)
def test_a_stored_box_is_marked_where_the_volume_shows_it(flips, left, top):
    marks = [finding(Box(10, 4, 30, 14), uid="7.1")]
    array = pixels(render_slice(volume(**flips), 1, LUNG_WINDOW_HU, marks, size=400))
    rows, columns = marked(array)
    assert (columns.min(), rows.min()) == (left * 5, top * 10)
    unmarked = pixels(render_slice(volume(**flips), 0, LUNG_WINDOW_HU, marks, size=400))
    assert not (np.abs(unmarked - YELLOW).sum(axis=2) < 10).any()


@pytest.mark.parametrize("index", [-1, 2])
def test_a_slice_that_is_not_there_is_an_error(index):
    with pytest.raises(IndexError):
        render_slice(volume(), index, LUNG_WINDOW_HU, [])


def test_words_that_are_not_ascii_do_not_break_the_picture():
    odd = Finding(
        "肺结节", Presence.PRESENT, Source.CLASSIFIER, evidence=finding(Box(5, 5, 9, 9)).evidence
    )
    assert pixels(render_radiograph(film(), [odd])).shape == (1024, 1024, 3)
