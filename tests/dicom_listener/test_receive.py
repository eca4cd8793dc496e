"""What real senders send is what lies on the disk."""

import subprocess

import pytest
from pydicom import dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from dicom_listener.health import is_healthy

SAMPLES = {
    "explicit": "CT_small.dcm",
    "implicit": "MR_small_implicit.dcm",
    "big endian": "MR_small_bigendian.dcm",
    "JPEG baseline": "SC_rgb_jpeg_dcmtk.dcm",
    "JPEG extended": "JPGExtended.dcm",
    "JPEG lossless": "SC_rgb_jpeg_gdcm.dcm",
    "JPEG-LS": "MR_small_jpeg_ls_lossless.dcm",
    "JPEG 2000 lossless": "MR_small_jp2klossless.dcm",
    "JPEG 2000": "JPEG2000.dcm",
    "RLE": "MR_small_RLE.dcm",
    "RLE, two frames": "SC_rgb_rle_2frame.dcm",
    "structured report": "test-SR.dcm",
    "segmentation": "liver_1frame.dcm",
    "waveform": "waveform_ecg.dcm",
}


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, check=True, capture_output=True, timeout=60, text=True)


def test_every_sender_can_verify(running):
    run("/usr/bin/echoscu", "-aec", "RADGEN", "127.0.0.1", str(running.port))
    assert is_healthy("127.0.0.1", running.port, "RADGEN")


@pytest.mark.parametrize("name", SAMPLES.values(), ids=SAMPLES)
def test_an_instance_is_stored_element_by_element(running, kit, name):
    ds = kit.sample(name)
    assert kit.store(running.port, ds) == [0]
    record = running.records()[0]
    stored = dcmread(running.store.path_of(record))
    assert stored == ds
    assert stored.file_meta.TransferSyntaxUID == ds.file_meta.TransferSyntaxUID
    assert record.transfer_syntax_uid == ds.file_meta.TransferSyntaxUID
    assert record.sop_instance_uid == ds.SOPInstanceUID
    assert record.sop_class_uid == ds.SOPClassUID
    assert record.study_uid == ds.StudyInstanceUID
    assert record.series_uid == ds.SeriesInstanceUID
    assert record.size == running.store.path_of(record).stat().st_size


def test_a_high_throughput_jpeg_2000_instance_is_stored_as_it_is(running, kit):
    ds = kit.sample("JPEG2000.dcm")
    ds.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.201")
    ds.PixelData = encapsulate([bytes(range(256)) * 40, b"second" * 1001])
    ds.NumberOfFrames = 2
    assert kit.store(running.port, ds) == [0]
    assert dcmread(running.store.path_of(running.records()[0])) == ds


@pytest.mark.parametrize("max_pdu_bytes", [4096, 16384, 131072])
@pytest.mark.parametrize("sender", ["storescu", "dcmsend", "pynetdicom"])
def test_any_pdu_size_from_any_sender_makes_the_same_file(
    start, kit, tmp_path, max_pdu_bytes, sender
):
    running = start(max_pdu_bytes=max_pdu_bytes)
    sent = [kit.make_ct(512, 500), kit.make_ct(3, 5), kit.make_ct(700, 700)]
    for number, ds in enumerate(sent):
        ds.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    paths = [str(tmp_path / f"{number}.dcm") for number in range(3)]
    where = ("-aec", "RADGEN", "127.0.0.1", str(running.port))
    if sender == "pynetdicom":
        assert kit.store(running.port, *sent) == [0, 0, 0]
    else:
        run(f"/usr/bin/{sender}", *where, *paths)
    stored = [dcmread(running.store.path_of(record)) for record in running.records()[:3]]
    assert {ds.SOPInstanceUID: ds for ds in stored} == {ds.SOPInstanceUID: ds for ds in sent}


def test_the_preamble_of_the_sender_is_not_kept(running, kit):
    ds = kit.make_ct()
    assert ds.preamble.startswith(b"II*\0")
    kit.store(running.port, ds)
    path = running.store.path_of(running.records()[0])
    assert path.read_bytes()[:132] == bytes(128) + b"DICM"


def test_release_tells_which_studies_were_touched(running, kit):
    first, second = kit.make_ct(), kit.make_ct()
    third = kit.make_ct(StudyInstanceUID=first.StudyInstanceUID)
    kit.store(running.port, first, second, third)
    ended = [one for one in running.records() if one.kind == "association-ended"]
    counts = {one.study_uid: one.detail["instances"] for one in ended}
    assert counts == {first.StudyInstanceUID: 2, second.StudyInstanceUID: 1}


def test_records_name_both_titles_and_the_address(running, kit):
    kit.store(running.port, kit.make_ct())
    record = running.records()[0]
    assert (record.calling_ae, record.called_ae) == ("MODALITY", "RADGEN")
    assert record.peer_address == "127.0.0.1"
    assert record.received_at.endswith("+00:00")


def test_the_first_syntax_of_the_sender_that_we_read_is_chosen(running, connect):
    deflated, j2k, explicit = (
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.1",
    )
    kind, body = connect(running.port).request(syntaxes=(deflated, j2k, explicit))
    assert kind == 2
    assert j2k.encode() in body
    assert explicit.encode() + b"P" not in body


@pytest.mark.parametrize(
    ("abstract", "syntax", "result"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1.99", 4),
        ("1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.2", 3),
        ("1.2.826.0.1.999", "1.2.840.10008.1.2", 3),
        ("1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.1.2", 0),
    ],
    ids=["deflated", "study root find", "private class", "retired ultrasound"],
)
def test_a_context_is_answered_by_what_we_take(running, connect, abstract, syntax, result):
    kind, body = connect(running.port).request(abstract=abstract, syntaxes=(syntax,))
    assert kind == 2
    at = body.index(b"\x21\0", 68)
    assert body[at + 6] == result


def test_private_classes_can_be_let_in_by_setting(start, connect):
    running = start(extra_sop_classes=("1.2.826.0.1.999",))
    _, body = connect(running.port).request(abstract="1.2.826.0.1.999")
    assert body[body.index(b"\x21\0", 68) + 6] == 0


@pytest.mark.parametrize(
    "sop_class",
    [
        "1",
        "1.1",
        "1.2",
        "2",
        "4",
        "6.1",
        "7",
        "12.1",
        "20",
        "128",
        "88.33",
        "88.59",
        "11.1",
        "66.4",
        "2.1",
        "4.1",
        "13.1.3",
        "104.1",
        "481.2",
    ],
)
def test_storage_classes_of_every_modality_are_taken(running, connect, sop_class):
    uid = f"1.2.840.10008.5.1.4.1.1.{sop_class}"
    _, body = connect(running.port).request(abstract=uid)
    assert body[body.index(b"\x21\0", 68) + 6] == 0


def test_a_meta_without_a_known_sender_is_the_same_for_all_senders(running, kit):
    ds = kit.make_ct()
    assoc = kit.scu(running.port, ds, calling="OTHER")
    assert assoc.send_c_store(ds).Status == 0
    assoc.release()
    kit.store(running.port, ds)
    assert running.kinds()[0::2] == ["instance", "duplicate"]
    meta = dcmread(running.store.path_of(running.records()[0])).file_meta
    assert isinstance(meta, FileMetaDataset)
    assert "SourceApplicationEntityTitle" not in meta
