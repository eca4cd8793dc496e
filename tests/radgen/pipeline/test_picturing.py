"""The key picture of a draft, from files with known content."""

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image
from pydicom import dcmread

from radgen.domain.finding import Box, Finding, ImageEvidence, Presence, Source
from radgen.pipeline.picturing import key_picture
from radgen.pipeline.reading import read_study


@pytest.fixture
def films(phantom_files):
    return phantom_files("chest two views")


@pytest.fixture
def structure(films, room):
    return read_study(films, room, 0).structure


def evidence_of(path, box=None):
    ds = dcmread(path)
    return ImageEvidence(ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID, box=box)


def test_the_first_image_read_is_shown(structure, films):
    picture = key_picture(structure, films)
    assert max(Image.open(BytesIO(picture)).size) == 1024


def test_the_image_with_a_region_comes_first(structure, films):
    """The lateral film is not the first image, but it carries the region."""
    boxed = evidence_of(films[1], Box(100, 100, 300, 300))
    finding = Finding("cardiomegaly", Presence.PRESENT, Source.CLASSIFIER, evidence=(boxed,))
    marked = replace(structure, findings=(finding,))
    plain = replace(structure, findings=(), images=(evidence_of(films[0]),))
    assert key_picture(marked, films[1:]) is None  # A\\F: not as displayed
    assert key_picture(plain, films) is not None
    assert key_picture(marked, films[:1]) is None


def test_without_images_there_is_no_picture(structure, films):
    assert key_picture(replace(structure, findings=(), images=()), films) is None
    assert key_picture(structure, []) is None


def test_a_file_that_cannot_be_read_is_passed_over(structure, films, tmp_path):
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"no dicom")
    assert key_picture(structure, [broken, *films]) == key_picture(structure, films)


def test_a_slice_whose_rows_run_to_the_right_is_not_shown(phantom_files, room, tmp_path):
    paths = phantom_files("chest CT normal")
    structure = read_study(paths, room, 0).structure
    assert key_picture(structure, paths) is not None
    uid, turned = structure.images[0].sop_instance_uid, tmp_path / "turned.dcm"
    ds = next(ds for ds in map(dcmread, paths) if uid == ds.SOPInstanceUID)
    ds.ImageOrientationPatient = [-1, 0, 0, 0, 1, 0]
    ds.save_as(turned)
    assert key_picture(structure, [turned]) is None
