"""Broken, hostile and slow senders: refused with a reason, nothing left behind, service goes on."""

import json
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

ACCEPT, DATA, ABORT = 2, 4, 7
MISMATCH, UNREADABLE, NO_SPACE = 0xA900, 0xC210, 0xA700


@pytest.fixture
def peer(running, connect):
    raw = connect(running.port)
    assert raw.request()[0] == ACCEPT
    return raw


def send_instance(peer, kit, ds, data=None, **claims) -> int:
    """One C-STORE by hand; returns the status."""
    command = kit.store_command(
        claims.get("sop_class", ds.SOPClassUID), claims.get("sop_instance", ds.SOPInstanceUID)
    )
    data = kit.dataset_bytes(ds) if data is None else data
    peer.send(kit.p_data(kit.pdv(3, command)) + kit.p_data(kit.pdv(2, data)))
    return peer.status()


def test_command_and_data_in_one_pdu_and_in_single_bytes_are_understood(running, peer, kit):
    ds = kit.make_ct(8, 8)
    command = kit.store_command(ds.SOPClassUID, ds.SOPInstanceUID)
    data = kit.dataset_bytes(ds)
    pieces = [kit.pdv(1, command[:9]), kit.pdv(3, command[9:])]
    pieces += [kit.pdv(0, data[at : at + 1]) for at in range(len(data))]
    peer.send(kit.p_data(*pieces, kit.pdv(0, b""), kit.pdv(2, b"")))
    assert peer.status() == 0
    path = running.store.path_of(running.records()[0])
    assert path.read_bytes().endswith(data)


def test_a_message_in_the_smallest_segments_is_understood(running, peer, kit):
    stream = kit.p_data(kit.pdv(3, kit.store_command(kit.CT, "1.2.3.4")))
    ds = kit.make_ct(4, 4, SOPInstanceUID="1.2.3.4")
    stream += kit.p_data(kit.pdv(2, kit.dataset_bytes(ds)))
    for at in range(len(stream)):
        peer.send(stream[at : at + 1])
    assert peer.status() == 0
    assert running.records()[0].sop_instance_uid == "1.2.3.4"


@pytest.mark.parametrize("end", ["abort", "drop"])
def test_an_image_broken_off_leaves_nothing(running, peer, kit, end):
    ds = kit.make_ct(512, 512)
    data = kit.dataset_bytes(ds)
    peer.send(kit.p_data(kit.pdv(3, kit.store_command(ds.SOPClassUID, ds.SOPInstanceUID))))
    for at in range(0, len(data) // 2, 16384):
        peer.send(kit.p_data(kit.pdv(0, data[at : at + 16384])))
    kit.wait_for(lambda: any(path.suffix == ".part" for path in running.files()))
    if end == "abort":
        peer.send(struct.pack(">BxI", 7, 4) + b"\0\0\0\0")
    peer.socket.close()
    running.wait_idle()
    assert running.files() == []
    assert running.records() == []


def test_a_release_in_the_middle_of_an_image_is_an_error(running, peer, kit):
    peer.send(kit.p_data(kit.pdv(3, kit.store_command(kit.CT, "1.2.3"))))
    peer.send(struct.pack(">BxI", 5, 4) + b"\0\0\0\0")
    assert peer.receive()[0] == ABORT
    running.wait_idle()
    assert running.files() == []


def test_a_dataset_cut_off_anywhere_is_not_acknowledged(running, peer, kit):
    ds = kit.make_ct(16, 16)
    data = kit.dataset_bytes(ds)
    for length in range(0, len(data), 41):
        assert send_instance(peer, kit, ds, data[:length]) != 0
    assert set(running.kinds()) == {"quarantined"}
    assert not any("instances" in path.parts for path in running.files())
    assert send_instance(peer, kit, ds, data) == 0


def test_a_compressed_image_without_its_end_is_not_acknowledged(running, connect, kit):
    ds = kit.sample("JPEG2000.dcm")
    peer = connect(running.port)
    peer.request(abstract=ds.SOPClassUID, syntaxes=(ds.file_meta.TransferSyntaxUID,))
    data = kit.dataset_bytes_as_sent(ds)
    assert send_instance(peer, kit, ds, data[:-8]) == UNREADABLE
    assert send_instance(peer, kit, ds, data) == 0


@pytest.mark.parametrize(
    "uid",
    [
        "../../../../etc/passwd",
        "1.2.3/../../x",
        "..",
        "/etc/x",
        "1..2",
        "1.2.",
        "a" * 64,
        "1" * 65,
        "1.2\x00.3",
        "1.2 3",
        "%2e%2e",
        "CON",
        ".",
    ],
)
def test_a_uid_that_is_none_is_quarantined_and_names_no_file(running, peer, kit, uid):
    ds = kit.make_ct(4, 4)
    data = kit.dataset_bytes(ds).replace(
        kit.uid_element(0x0008, 0x0018, ds.SOPInstanceUID), kit.uid_element(0x0008, 0x0018, uid)
    )
    assert send_instance(peer, kit, ds, data, sop_instance=uid) == UNREADABLE
    kept = {path.relative_to(running.store.root).parts[0] for path in running.files()}
    assert kept == {"quarantine"}
    assert running.kinds() == ["quarantined"]
    assert send_instance(peer, kit, ds) == 0


@pytest.mark.parametrize("missing", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_an_instance_without_its_place_is_quarantined(peer, kit, missing):
    ds = kit.make_ct(4, 4)
    whole = kit.dataset_bytes(ds)
    value = kit.uid_element(ds[missing].tag.group, ds[missing].tag.element, ds[missing].value)
    assert send_instance(peer, kit, ds, whole.replace(value, b"")) == UNREADABLE


@pytest.mark.parametrize(
    "claims",
    [{"sop_instance": "1.2.3.4.5"}, {"sop_class": "1.2.840.10008.5.1.4.1.1.4"}],
    ids=["instance", "class"],
)
def test_a_dataset_that_is_not_what_the_command_says_is_quarantined(running, peer, kit, claims):
    ds = kit.make_ct(4, 4)
    assert send_instance(peer, kit, ds, **claims) == MISMATCH
    record = running.records()[0]
    assert record.kind == "quarantined"
    kept = running.store.path_of(record)
    assert kept.read_bytes().endswith(kit.dataset_bytes(ds))
    reason = json.loads(kept.with_suffix(".json").read_text())
    assert "is not that of the command" in reason["reason"]
    assert reason["detail"]["status"] == MISMATCH


def test_a_dataset_of_another_class_than_its_context_is_quarantined(running, connect, kit):
    peer = connect(running.port)
    peer.request(abstract="1.2.840.10008.5.1.4.1.1.4")
    assert send_instance(peer, kit, kit.make_ct(4, 4)) == MISMATCH


def test_what_does_not_fit_into_quarantine_is_told_and_not_kept(start, connect, kit):
    running = start(quarantine_max_files=2)
    peer = connect(running.port)
    peer.request()
    for _ in range(4):
        send_instance(peer, kit, kit.make_ct(4, 4), sop_instance="1.2.3")
    assert [record.detail["kept"] for record in running.records()] == [True, True, False, False]
    assert len(running.files()) == 4  # two datasets, two reasons


def test_sequences_of_undefined_length_are_walked_to_the_series(running, peer, kit):
    ds = kit.make_ct(4, 4)
    inner = Dataset()
    inner.SOPInstanceUID = generate_uid()
    inner.StudyInstanceUID = generate_uid()
    for _ in range(5):
        outer = Dataset()
        outer.ReferencedStudySequence = Sequence([inner])
        outer["ReferencedStudySequence"].is_undefined_length = True
        outer.is_undefined_length_sequence_item = True
        inner = outer
    ds.ReferencedStudySequence = Sequence([inner])
    ds["ReferencedStudySequence"].is_undefined_length = True
    inner.is_undefined_length_sequence_item = True
    assert send_instance(peer, kit, ds) == 0
    assert running.records()[0].study_uid == ds.StudyInstanceUID


def test_nesting_without_end_is_refused(running, peer, kit):
    ds = kit.make_ct(4, 4)
    opening = struct.pack("<HH2sHI", 0x0008, 0x1110, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    assert send_instance(peer, kit, ds, opening * 5000) == UNREADABLE
    assert "nested too deep" in running.records()[0].reason


@pytest.mark.filterwarnings("ignore:Expected explicit VR:UserWarning")
def test_implicit_bytes_in_an_explicit_context_are_still_understood(running, peer, kit):
    ds = kit.sample("MR_small_implicit.dcm")
    data = kit.dataset_bytes_as_sent(ds)
    status = send_instance(peer, kit, ds, data)
    assert status == MISMATCH  # readable, but MR in a context for CT
    assert "presentation context" in running.records()[0].reason


@pytest.mark.parametrize("noise", [bytes(1000), b"\xff" * 1000, b"%PDF-1.4 " * 100])
def test_noise_for_a_dataset_is_quarantined(peer, kit, noise):
    assert send_instance(peer, kit, kit.make_ct(4, 4), noise) == UNREADABLE


@pytest.mark.parametrize(
    "stream",
    [
        struct.pack(">BxI", 4, 16385),
        struct.pack(">BxI", 4, 0xFFFFFFFF),
        struct.pack(">BxI", 4, 5) + bytes(5),
        struct.pack(">BxIIBB", 4, 6, 0, 1, 3),
        struct.pack(">BxIIBB", 4, 6, 1, 1, 3),
        struct.pack(">BxIIBB", 4, 6, 3, 1, 3) + b"x",
        struct.pack(">BxIIBB", 4, 6, 2, 3, 3),
        struct.pack(">BxIIBB", 4, 6, 2, 1, 2),
        struct.pack(">BxI", 1, 68) + bytes(68),
        struct.pack(">BxI", 9, 4) + bytes(4),
        struct.pack(">BxI", 0, 0),
    ],
    ids=[
        "long",
        "huge",
        "cut",
        "PDV 0",
        "PDV 1",
        "PDV beyond",
        "context",
        "data first",
        "second request",
        "unknown type",
        "zeros",
    ],
)
def test_a_broken_pdu_ends_the_association_alone(start, connect, kit, stream):
    running = start(max_pdu_bytes=16384)
    peer, other = connect(running.port), connect(running.port)
    peer.request()
    other.request()
    peer.send(stream)
    assert peer.receive()[0] == ABORT
    assert peer.receive()[0] == 0
    assert send_instance(other, kit, kit.make_ct(4, 4)) == 0


def test_a_command_set_without_end_is_cut_off(peer, kit):
    for _ in range(20):
        peer.send_or_stop(kit.p_data(kit.pdv(1, bytes(1000))))
    assert peer.receive()[0] == ABORT


@pytest.mark.parametrize("command", [b"\0", b"\0" * 8, b"\x08" * 64, bytes(4) + b"\xff" * 8])
def test_a_malformed_command_set_ends_the_association(peer, kit, command):
    peer.send(kit.p_data(kit.pdv(3, command)))
    assert peer.receive()[0] == ABORT


def test_an_operation_we_do_not_know_is_answered_so(peer, kit):
    find = kit.element(0x0002, kit.CT.encode()) + kit.us(0x0100, 0x20)
    peer.send(kit.p_data(kit.pdv(3, find + kit.us(0x0110, 5) + kit.us(0x0800, 1))))
    peer.send(kit.p_data(kit.pdv(2, b"\x08\0\x05\0CS\0\0")))
    assert peer.status() == 0x0211
    assert send_instance(peer, kit, kit.make_ct(4, 4)) == 0


def test_a_cancel_is_passed_over(peer, kit):
    cancel = kit.us(0x0100, 0x0FFF) + kit.us(0x0120, 5) + kit.us(0x0800, 0x0101)
    peer.send(kit.p_data(kit.pdv(3, cancel)))
    assert send_instance(peer, kit, kit.make_ct(4, 4)) == 0


@pytest.mark.parametrize("length", [67, 262145, 0xFFFFFFFF])
def test_an_association_request_of_wrong_length_is_not_read(running, connect, length):
    peer = connect(running.port)
    peer.send(struct.pack(">BxI", 1, length))
    assert peer.receive()[0] == ABORT


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(min_size=68, max_size=300))
def test_an_association_request_of_noise_is_aborted_or_refused(running, connect, body):
    peer = connect(running.port)
    peer.send(struct.pack(">BxI", 1, len(body)) + body)
    assert peer.receive()[0] in {2, 3, ABORT}
    peer.socket.close()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pdu_length=st.one_of(st.integers(0, 64), st.integers(0, 2**32 - 1)),
    pdvs=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 40), st.integers(0, 2**32 - 1)),
            st.integers(0, 255),
            st.integers(0, 255),
            st.binary(max_size=40),
        ),
        max_size=4,
    ),
)
def test_no_length_of_pdu_or_pdv_stops_the_service(running, connect, kit, pdu_length, pdvs):
    peer = connect(running.port)
    peer.request()
    body = b"".join(struct.pack(">IBB", *head) + data for *head, data in pdvs)
    peer.send_or_stop(struct.pack(">BxI", 4, pdu_length) + body)
    peer.socket.close()
    healthy = connect(running.port)
    healthy.request(abstract=kit.VERIFICATION)
    assert healthy.echo() == 0
    healthy.socket.close()


def test_silence_before_the_request_ends_by_the_artim_timer(start, connect):
    running = start(artim_s=0.3)
    peer = connect(running.port)
    peer.send(b"\x01\0\0")
    assert peer.receive()[0] == ABORT
    assert peer.receive()[0] == 0


def test_a_request_in_drops_ends_by_the_artim_timer(start, connect):
    running = start(artim_s=0.5)
    peer = connect(running.port)
    head = struct.pack(">BxI", 1, 200)
    for at in range(200):
        if not peer.send_or_stop((head + bytes(200))[at : at + 1]):
            break
        time.sleep(0.02)
    assert peer.receive()[0] in {ABORT, 0}
    running.wait_idle()


def test_silence_inside_an_association_ends_it(start, connect, kit):
    running = start(idle_s=0.3)
    peer = connect(running.port)
    peer.request()
    peer.send(kit.p_data(kit.pdv(3, kit.store_command(kit.CT, "1.2.3"))))
    assert peer.receive()[0] == ABORT
    running.wait_idle()
    assert running.files() == []


def test_a_message_in_drops_ends_by_the_message_timer(start, connect, kit):
    running = start(message_s=0.5)
    peer = connect(running.port)
    peer.request()
    peer.send(kit.p_data(kit.pdv(3, kit.store_command(kit.CT, "1.2.3"))))
    for _ in range(200):
        if not peer.send_or_stop(kit.p_data(kit.pdv(0, b"xx"))):
            break
        time.sleep(0.02)
    running.wait_idle()
    assert running.files() == []


def test_too_little_free_space_is_said_before_anything_is_written(start, connect, kit):
    running = start(min_free_mb=10**9)
    peer = connect(running.port)
    peer.request()
    assert send_instance(peer, kit, kit.make_ct(64, 64)) == NO_SPACE
    assert send_instance(peer, kit, kit.make_ct(64, 64)) == NO_SPACE
    assert running.files() == []
    assert running.records() == []


def test_a_dataset_larger_than_allowed_is_refused_and_the_next_one_taken(start, connect, kit):
    running = start(max_dataset_mb=1)
    peer = connect(running.port)
    peer.request()
    big = kit.make_ct(1024, 1024)
    command = kit.store_command(big.SOPClassUID, big.SOPInstanceUID)
    data = kit.dataset_bytes(big)
    peer.send(kit.p_data(kit.pdv(3, command)))
    for at in range(0, len(data), 65536):
        last = 2 if at + 65536 >= len(data) else 0
        peer.send(kit.p_data(kit.pdv(last, data[at : at + 65536])))
    assert peer.status() == NO_SPACE
    assert running.files() == []
    assert send_instance(peer, kit, kit.make_ct(4, 4)) == 0
