import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from radgen.dicom.decode import decode_image
from radgen.domain.errors import UnreadableInstanceError

PIXELS = (np.arange(64 * 48) % 997).astype(np.uint16).reshape(64, 48)


def _compressed(path, syntax):
    ds = pydicom.dcmread(path)
    ds.compress(syntax, generate_instance_uid=False)
    ds.save_as(path)
    return path


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_lossless_syntaxes_give_back_the_stored_pixels(tmp_path, write_image, syntax):
    path = _compressed(write_image(tmp_path / "a.dcm", PIXELS), syntax)
    assert np.array_equal(decode_image(path).pixels, PIXELS)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_a_truncated_compressed_file_is_an_error_at_every_length(tmp_path, write_image, syntax):
    path = _compressed(write_image(tmp_path / "a.dcm", PIXELS), syntax)
    whole = path.read_bytes()
    for length in [*range(0, len(whole) - 8, 37), *range(len(whole) - 60, len(whole) - 8)]:
        path.write_bytes(whole[:length])
        with pytest.raises(UnreadableInstanceError):
            decode_image(path)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_shortened_code_stream_in_a_whole_file_is_an_error(tmp_path, write_image, syntax):
    path = _compressed(write_image(tmp_path / "a.dcm", PIXELS), syntax)
    ds = pydicom.dcmread(path)
    frame = next(iter(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)))
    for part in (0.3, 0.6, 0.9):
        ds.PixelData = encapsulate([frame[: int(len(frame) * part)]])
        ds.save_as(path)
        with pytest.raises(UnreadableInstanceError):
            decode_image(path)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_code_stream_larger_than_the_header_is_refused(tmp_path, write_image, syntax):
    path = _compressed(write_image(tmp_path / "a.dcm", PIXELS), syntax)
    ds = pydicom.dcmread(path)
    ds.Rows = 16
    ds.save_as(path)
    with pytest.raises(UnreadableInstanceError, match=r"code stream holds \(64, 48, 1\)"):
        decode_image(path)


def test_a_header_that_promises_gigabytes_is_refused_before_decoding(tmp_path, write_image):
    path = write_image(tmp_path / "a.dcm", PIXELS, Rows=65535, Columns=65535)
    with pytest.raises(UnreadableInstanceError, match="pixel bytes, limit"):
        decode_image(path)


def test_the_limit_is_the_callers(tmp_path, write_image):
    path = write_image(tmp_path / "a.dcm", PIXELS)
    assert decode_image(path, max_bytes=PIXELS.nbytes).pixels.shape == PIXELS.shape
    with pytest.raises(UnreadableInstanceError, match="limit"):
        decode_image(path, max_bytes=PIXELS.nbytes - 1)


@pytest.mark.parametrize(
    "lie",
    [{"Rows": 65}, {"Columns": 49}, {"BitsAllocated": 32}, {"NumberOfFrames": 2}, {"Rows": 0}],
)
def test_a_header_that_does_not_match_its_pixels_is_refused(tmp_path, write_image, lie):
    path = write_image(tmp_path / "a.dcm", PIXELS, **lie)
    with pytest.raises(UnreadableInstanceError):
        decode_image(path)


def test_padding_after_the_pixels_is_no_fault(pydicom_files):
    padded = decode_image(pydicom_files / "MR_small_padded.dcm").pixels
    assert np.array_equal(padded, decode_image(pydicom_files / "MR_small.dcm").pixels)


def test_a_syntax_without_decoder_is_named(tmp_path, write_image):
    path = write_image(tmp_path / "a.dcm", PIXELS)
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = MPEG2MPML
    ds.PixelData = encapsulate([b"\0" * 20])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.save_as(path)
    with pytest.raises(UnreadableInstanceError, match="MPEG2"):
        decode_image(path)


def test_a_report_has_no_pixels(pydicom_files):
    with pytest.raises(UnreadableInstanceError):
        decode_image(pydicom_files / "reportsi.dcm")


def test_the_same_picture_is_the_same_in_every_syntax_that_pydicom_ships(pydicom_files):
    plain = decode_image(pydicom_files / "MR_small.dcm").pixels
    for name in ("RLE", "bigendian", "implicit", "jp2klossless", "jpeg_ls_lossless"):
        assert np.array_equal(decode_image(pydicom_files / f"MR_small_{name}.dcm").pixels, plain)


def test_no_odd_file_of_pydicom_escapes_the_typed_error(pydicom_files):
    decoded = 0
    for path in sorted(pydicom_files.glob("*.dcm")):
        try:
            decoded += decode_image(path).pixels.size > 0
        except UnreadableInstanceError:
            continue
    assert decoded > 40


@pytest.mark.shared_data
def test_every_real_single_frame_sample_decodes(shared_data):
    for path in sorted((shared_data / "dicom_samples" / "wg04_single").glob("*.dcm")):
        assert decode_image(path).pixels.size > 0
