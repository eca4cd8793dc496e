"""Our walk finds what pydicom finds, and nothing makes it fail in another way than it says."""

import struct
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from radgen.domain.errors import UnreadableInstanceError
from radgen.study_store.file_meta import build_file_head, read_file_head
from radgen.study_store.header_walk import (
    EncodingError,
    InstanceUids,
    find_uids,
    is_valid_uid,
)

WHOLE = [
    "693_J2KI.dcm",
    "CT_small.dcm",
    "ExplVR_BigEnd.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "JPEG-lossy.dcm",
    "JPEG2000-embedded-sequence-delimiter.dcm",
    "MR_small_RLE.dcm",
    "MR_small_expb.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_padded.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
    "SC_rgb_small_odd.dcm",
    "examples_overlay.dcm",
    "examples_ybr_color.dcm",
    "liver_1frame.dcm",
    "liver_expb_1frame.dcm",
    "reportsi.dcm",
    "rtdose.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
    "waveform_ecg.dcm",
]


def find(data: bytes, syntax: str, head: bytes = b"") -> InstanceUids:
    with tempfile.TemporaryFile() as file:
        file.write(b"meta" + data)
        file.flush()
        return find_uids(file.fileno(), 4, len(data), syntax, head)


def dataset_of(path) -> tuple[bytes, str]:
    data = path.read_bytes()
    meta = read_file_head(data)
    return data[meta.dataset_offset :], meta.transfer_syntax_uid


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("head_bytes", [0, 5, 1000, 65536])
def test_the_walk_finds_what_pydicom_finds(samples, name, head_bytes):
    ds = dcmread(samples / name)
    data, syntax = dataset_of(samples / name)
    found = find(data, syntax, data[:head_bytes])
    assert found.sop_class_uid == ds.SOPClassUID
    assert found.sop_instance_uid == ds.SOPInstanceUID
    assert found.study_uid == ds.StudyInstanceUID
    assert found.series_uid == ds.SeriesInstanceUID


@pytest.mark.parametrize("name", ["MR_truncated.dcm", "rtplan_truncated.dcm"])
def test_a_truncated_file_is_said_to_be_truncated(samples, name):
    data, syntax = dataset_of(samples / name)
    with pytest.raises(UnreadableInstanceError, match="truncated"):
        find(data, syntax)


@pytest.mark.parametrize(
    "name", ["MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm"]
)
def test_no_cut_inside_the_pixels_goes_unseen(samples, name):
    data, syntax = dataset_of(samples / name)
    tag = b"\x7f\xe0\x00\x10" if syntax == "1.2.840.10008.1.2.2" else b"\xe0\x7f\x10\x00"
    padding = data.rfind(b"\xfc\xff\xfc\xff")
    end = padding if padding > 0 else len(data)
    for length in range(data.rindex(tag) + 1, end, 13):
        with pytest.raises(UnreadableInstanceError):
            find(data[:length], syntax, data[:length])


def test_a_header_longer_than_the_window_is_walked_to_its_end(samples):
    data, syntax = dataset_of(samples / "CT_small.dcm")
    first = struct.pack("<HH2sHI", 0x0007, 0x1010, b"OB", 0, 300_000) + bytes(300_000)
    assert find(first + data, syntax, (first + data)[:65536]) == find(data, syntax)


@pytest.mark.parametrize("depth", [64, 65])
def test_depth_is_bounded(samples, depth):
    data, syntax = dataset_of(samples / "CT_small.dcm")
    opening = struct.pack("<HH2sHI", 0x0007, 0x1110, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    closing = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    nested = opening * depth + closing * depth + data
    if depth == 64:
        assert find(nested, syntax) == find(data, syntax)
    else:
        with pytest.raises(UnreadableInstanceError, match="too deep"):
            find(nested, syntax)


def test_a_sequence_of_unknown_representation_is_implicit_inside(samples):
    data, syntax = dataset_of(samples / "CT_small.dcm")
    unknown = struct.pack("<HH2sHI", 0x0007, 0x1110, b"UN", 0, 0xFFFFFFFF)
    unknown += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    unknown += struct.pack("<HHI", 0x0008, 0x0018, 4) + b"1.2\0"  # implicit: CP-246
    unknown += struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    assert find(unknown + data, syntax) == find(data, syntax)


@pytest.mark.parametrize(
    "broken",
    [
        struct.pack("<HHI", 0xFFFE, 0xE00D, 0),
        struct.pack("<HHI", 0xFFFE, 0xE000, 0),
        struct.pack("<HHI", 0xFFFE, 0xE0DD, 8),
        struct.pack("<HH2sH", 0x0007, 0x0010, b"??", 0),
        struct.pack("<HH2sHI", 0x0007, 0x1110, b"SQ", 0, 0xFFFFFFFF) + bytes(12),
    ],
    ids=["item end", "item", "sequence end", "representation", "no item"],
)
def test_delimiters_out_of_place_are_an_encoding_error(samples, broken):
    data, syntax = dataset_of(samples / "CT_small.dcm")
    with pytest.raises(EncodingError):
        find(broken + data, syntax)


@settings(max_examples=300, deadline=None)
@given(
    start=st.integers(0, 1500),
    noise=st.binary(min_size=1, max_size=24),
    syntax=st.sampled_from(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]),
)
def test_any_damage_is_an_unreadable_instance_or_none(samples, start, noise, syntax):
    data = bytearray(dataset_of(samples / "CT_small.dcm")[0])
    data[start : start + len(noise)] = noise
    try:
        found = find(bytes(data), syntax, bytes(data[:65536]))
    except UnreadableInstanceError:
        return
    assert all(is_valid_uid(getattr(found, name)) for name in InstanceUids.__slots__)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300), explicit=st.booleans())
def test_noise_is_an_unreadable_instance(data, explicit):
    syntax = "1.2.840.10008.1.2.1" if explicit else "1.2.840.10008.1.2"
    with pytest.raises(UnreadableInstanceError):
        find(data, syntax)


@pytest.mark.parametrize("uid", ["1", "1.2.840", "1.02.3", "9" * 64])
def test_digits_and_dots_are_a_uid(uid):
    assert is_valid_uid(uid)


@pytest.mark.parametrize(
    "uid", ["", ".", "1.", ".1", "1..2", "1.2a", "1.2\n", "../1", "9" * 65, "１.２"]
)
def test_everything_else_is_none(uid):
    assert not is_valid_uid(uid)


def test_our_file_head_reads_back(tmp_path):
    head = build_file_head("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1")
    meta = read_file_head(head + bytes(10))
    assert meta.dataset_offset == len(head)
    assert (meta.sop_instance_uid, meta.transfer_syntax_uid) == ("1.2.3", "1.2.840.10008.1.2.1")
    (tmp_path / "a.dcm").write_bytes(head)
    assert dcmread(tmp_path / "a.dcm").file_meta.MediaStorageSOPInstanceUID == "1.2.3"
    assert (tmp_path / "a.dcm").stat().st_size == len(head)


@pytest.mark.parametrize("data", [b"", bytes(132), bytes(128) + b"DICM", b"DICM" * 50])
def test_what_is_no_dicom_file_is_said_to_be_none(data):
    with pytest.raises(UnreadableInstanceError):
        read_file_head(data)
