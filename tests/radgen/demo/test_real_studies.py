"""Real studies: unchanged where they were DICOM, honest where they were wrapped."""

import hashlib
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGBaseline8Bit

from radgen.demo.phantom import GB18030_TRAP_NAME
from radgen.demo.real_studies import real_studies

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def studies(shared_data):
    return real_studies(shared_data)


def wrapped(studies):
    return [study for study in studies if study.labels]


def test_there_are_enough_to_draft_and_to_refuse(studies):
    drafted = [study for study in studies if study.expect.drafted]
    assert len(drafted) >= 22
    assert {study.expect.modality for study in drafted} == {"CR", "DX", "CT"}
    refused = {study.expect.modality for study in studies if not study.expect.drafted}
    assert {"CR", "US", "XA", "CT", "MR"} <= refused
    assert len({study.name for study in studies}) == len({study.study_uid for study in studies})


def test_no_two_instances_share_a_uid(studies):
    uids = [ds.SOPInstanceUID for study in studies for ds in study.datasets]
    assert len(set(uids)) == len(uids)


def test_published_files_go_out_byte_for_byte(studies):
    published = [study for study in studies if study.sources]
    assert len(published) > 15
    for study in published:
        sent = [hashlib.sha256(content).digest() for content in study.files()]
        assert sent == [hashlib.sha256(path.read_bytes()).digest() for path in study.sources]


def test_new_uids_leave_the_pixels_alone(studies, shared_data):
    study = next(study for study in studies if study.name == "nih dx 6")
    original = dcmread(shared_data / "dicom_cxr/nih_dx/test6.dcm")
    sent = dcmread(BytesIO(next(study.files())))
    assert sent.SOPInstanceUID != original.SOPInstanceUID
    assert sent.PixelData == original.PixelData


def test_a_wrapped_jpeg_keeps_its_stream(studies, shared_data):
    kept = [
        s for s in wrapped(studies) if s.datasets[0].file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    ]
    assert kept
    for study in kept:
        sent = dcmread(BytesIO(next(study.files())))
        stream = next(generate_frames(sent.PixelData, number_of_frames=1))
        jpeg = shared_data / "nih_cxr_1000/images" / f"{study.name.removeprefix('nih ')}.jpg"
        assert stream.rstrip(b"\0") == jpeg.read_bytes().rstrip(b"\0")


def test_wrapped_studies_say_so_and_do_not_tell_the_answer(studies):
    for study in wrapped(studies):
        sent = dcmread(BytesIO(next(study.files())))
        assert "wrapped as DX" in sent.DerivationDescription
        assert "invented" in sent.DerivationDescription
        assert "SyntheticData" not in sent
        header = sent.to_json(
            suppress_invalid_tags=True,
            bulk_data_threshold=1,
            bulk_data_element_handler=lambda _: "",
        )
        for label in study.labels:
            assert label not in header


def test_wrapped_studies_have_several_charsets_syntaxes_and_makers(studies):
    films = [study.datasets[0] for study in wrapped(studies)]
    assert {film.SpecificCharacterSet for film in films} == {"ISO_IR 192", "GB18030", "GBK"}
    assert len({film.file_meta.TransferSyntaxUID for film in films}) == 6
    assert len({film.Manufacturer for film in films}) >= 4
    names = {str(dcmread(BytesIO(next(s.files()))).PatientName) for s in wrapped(studies)}
    assert GB18030_TRAP_NAME in names


def test_every_first_image_can_be_decoded(studies):
    for study in studies:
        content = next(study.files())
        assert dcmread(BytesIO(content)).pixel_array.size > 0
