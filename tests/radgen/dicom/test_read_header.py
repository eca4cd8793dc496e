import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from radgen.dicom.read_header import read_dataset, read_header
from radgen.domain.errors import UnreadableInstanceError

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)


def test_values_are_those_of_the_file(tmp_path, write_image):
    header = read_header(
        write_image(
            tmp_path / "a.dcm",
            PIXELS,
            Modality="DX",
            BodyPartExamined="CHEST",
            ViewPosition="PA",
            PatientAge="053Y",
            ImageType=["ORIGINAL", "PRIMARY"],
            ImagerPixelSpacing=[0.2, 0.3],
            PixelSpacing=[0.1, 0.1],
            AcquisitionDate="20240501",
            AcquisitionTime="101112.5",
            RequestedProcedurePriority="STAT",
            ContrastBolusAgent="IOHEXOL",
            ConvolutionKernel=["Br40d", "3"],
        )
    )
    assert (header.modality, header.body_part, header.view) == ("DX", "CHEST", "PA")
    assert header.age_years == 53
    assert header.image_type == ("ORIGINAL", "PRIMARY")
    assert header.pixel_spacing_mm == (0.2, 0.3)
    assert header.acquired_at == "20240501101112.5"
    assert header.priority == "STAT"
    assert header.contrast_agent == "IOHEXOL"
    assert header.kernel == "Br40d\\3"
    assert (header.rows, header.columns, header.frames) == (8, 8, 1)


@pytest.mark.parametrize(
    ("written", "years"),
    [("81", 81), ("053Y", 53), ("009M", 0.75), ("014D", 14 / 365.25), ("999Y", None)],
)
def test_an_age_is_read_with_or_without_its_unit(tmp_path, write_image, written, years):
    path = write_image(tmp_path / "a.dcm", PIXELS)
    path.write_bytes(_with_age(path, written))
    assert read_header(path).age_years == pytest.approx(years) if years else years is None


def _with_age(path, written):
    """The age as raw bytes: a writer that checks values would refuse "81"."""
    value = written.encode() + b" " * (len(written) % 2)
    element = b"\x10\x00\x10\x10AS" + len(value).to_bytes(2, "little") + value
    data = path.read_bytes()
    study_uid = data.index(b"\x20\x00\x0d\x00UI")
    return data[:study_uid] + element + data[study_uid:]


def test_without_an_age_the_birth_date_tells(tmp_path, write_image):
    path = write_image(
        tmp_path / "a.dcm", PIXELS, PatientBirthDate="20100101", StudyDate="20240101"
    )
    assert read_header(path).age_years == pytest.approx(14, abs=0.01)


def test_nothing_said_of_age_is_unknown_not_zero(tmp_path, write_image):
    assert read_header(write_image(tmp_path / "a.dcm", PIXELS)).age_years is None


def test_a_view_in_patient_position_is_no_view(tmp_path, write_image):
    path = write_image(tmp_path / "a.dcm", PIXELS, PatientPosition="AP")
    assert read_header(path).view == ""


def test_a_coded_view_is_a_view(tmp_path, write_image):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "272479007", "SCT"
    code.CodeMeaning = "postero-anterior"
    path = write_image(tmp_path / "a.dcm", PIXELS, ViewCodeSequence=Sequence([code]))
    assert read_header(path).view == "POSTERO-ANTERIOR"


def test_chinese_descriptions_are_read_in_their_character_set(tmp_path, write_image):
    for charset in ("GB18030", "ISO_IR 192", ["", "ISO 2022 IR 58"]):
        path = write_image(
            tmp_path / "a.dcm",
            PIXELS,
            SpecificCharacterSet=charset,
            SeriesDescription="胸部正位",
        )
        assert read_header(path).series_description == "胸部正位"


@pytest.mark.parametrize(
    "keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"]
)
@pytest.mark.filterwarnings("ignore:.*UID.*:UserWarning")
def test_a_missing_uid_or_a_path_in_its_place_is_an_error(tmp_path, write_image, keyword):
    path = write_image(tmp_path / "a.dcm", PIXELS)
    data = path.read_bytes()
    tag = {"Study": b"\x20\0\x0d\0", "Serie": b"\x20\0\x0e\0"}.get(keyword[:5])
    tag = tag or {"SOPI": b"\x08\0\x18\0", "SOPC": b"\x08\0\x16\0"}[keyword[:4]]
    at = data.index(tag + b"UI") + 8
    path.write_bytes(data[:at] + b"../x/" + data[at + 5 :])
    with pytest.raises(UnreadableInstanceError, match=keyword):
        read_header(path)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"\0" * 128 + b"DICX", b"\0" * 200])
def test_what_is_not_dicom_is_said_to_be_so(tmp_path, content):
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    with pytest.raises(UnreadableInstanceError):
        read_header(path)


def test_a_file_that_is_not_there_is_unreadable(tmp_path):
    with pytest.raises(UnreadableInstanceError, match="No such file"):
        read_header(tmp_path / "none.dcm")


def test_a_deflated_file_is_refused_before_it_is_inflated(pydicom_files):
    with pytest.raises(UnreadableInstanceError, match="deflated"):
        read_header(pydicom_files / "image_dfl.dcm")
    assert DeflatedExplicitVRLittleEndian.is_deflated


def test_every_truncation_of_the_pixels_is_an_error(tmp_path, write_image):
    whole = write_image(tmp_path / "a.dcm", PIXELS).read_bytes()
    short = tmp_path / "short.dcm"
    for missing in range(1, PIXELS.nbytes + 12):
        short.write_bytes(whole[:-missing])
        with pytest.raises(UnreadableInstanceError):
            read_header(short)


def test_every_truncation_of_the_header_ends_in_a_typed_error_or_a_header(tmp_path, write_image):
    whole = write_image(tmp_path / "a.dcm", PIXELS, SeriesDescription="x" * 40).read_bytes()
    short = tmp_path / "short.dcm"
    errors = 0
    for length in range(len(whole) - PIXELS.nbytes):
        short.write_bytes(whole[:length])
        try:
            read_header(short)
        except UnreadableInstanceError:
            errors += 1
    assert errors > 0.5 * (len(whole) - PIXELS.nbytes)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=40))
def test_flipped_bytes_end_in_a_typed_error_or_a_header(tmp_path_factory, write_image, changes):
    path = write_image(tmp_path_factory.mktemp("flip") / "a.dcm", PIXELS, PatientAge="053Y")
    data = bytearray(path.read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path.write_bytes(bytes(data))
    for read in (read_header, read_dataset):
        try:
            read(path)
        except UnreadableInstanceError:
            continue


@pytest.mark.parametrize("depth", [65, 120, 400])
@pytest.mark.parametrize("undefined", [True, False])
def test_deeply_nested_sequences_are_refused(tmp_path, write_image, depth, undefined):
    path = write_image(tmp_path / "a.dcm", PIXELS)
    path.write_bytes(_nested(path, depth, undefined=undefined))
    with pytest.raises(UnreadableInstanceError, match="nested deeper than 64"):
        read_dataset(path)


def test_sequences_of_a_usual_depth_are_read(tmp_path, write_image):
    path = write_image(tmp_path / "a.dcm", PIXELS)
    path.write_bytes(_nested(path, 20, undefined=True))
    assert len(read_dataset(path)[0x00081140].value) == 1


def _nested(path, depth, *, undefined):
    """(0008,1140) in itself `depth` times, before the study UID's group."""
    value = b""
    for _ in range(depth):
        if undefined:
            item = b"\xfe\xff\x00\xe0" + b"\xff" * 4 + value + b"\xfe\xff\x0d\xe0" + b"\0" * 4
            length, end = b"\xff" * 4, b"\xfe\xff\xdd\xe0" + b"\0" * 4
        else:
            item = b"\xfe\xff\x00\xe0" + len(value).to_bytes(4, "little") + value
            length, end = len(item).to_bytes(4, "little"), b""
        value = b"\x08\x00\x40\x11SQ\0\0" + length + item + end
    data = path.read_bytes()
    at = data.index(b"\x20\x00\x0d\x00UI")
    return data[:at] + value + data[at:]


def test_no_odd_file_of_pydicom_escapes_the_typed_error(pydicom_files):
    read = 0
    for path in sorted(pydicom_files.glob("*.dcm")):
        try:
            read_header(path)
            read_dataset(path)
            read += 1
        except UnreadableInstanceError:
            continue
    assert read >= 60


@pytest.mark.shared_data
def test_real_headers_keep_their_traps_apart(shared_data):
    folder = shared_data / "dicom_cxr" / "nih_dx"
    trap, ribs, tagged_ct = (read_header(folder / f"test{number}.dcm") for number in (2, 4, 5))
    assert (trap.view, trap.age_years) == ("", 58)
    assert ribs.body_part == "RIBCAGE"
    assert tagged_ct.modality == "CT"
    assert read_header(shared_data / "dicom_cxr/rsna_cr/C.dcm").view == "AP"
