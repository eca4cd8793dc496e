"""An archive says what it will answer for."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from radgen.study_store.arrival import CommitmentResult, FailedCommitment, commitment_of

PUSH_MODEL = "1.2.840.10008.1.20.1"
WELL_KNOWN = "1.2.840.10008.1.20.1.1"


def reference(uid: str, reason: int | None = None) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    ds.ReferencedSOPInstanceUID = uid
    if reason is not None:
        ds.FailureReason = reason
    return ds


def event(transaction: str, good: list[str], bad: list[str]) -> Dataset:
    ds = Dataset()
    ds.TransactionUID = transaction
    if good:
        ds.ReferencedSOPSequence = Sequence(map(reference, good))
    if bad:
        ds.FailedSOPSequence = Sequence(reference(uid, 0x0112) for uid in bad)
    return ds


@pytest.mark.parametrize(("event_type", "failures"), [(1, 0), (2, 2)])
def test_a_report_becomes_a_record(running, archive_scu, event_type, failures):
    transaction = generate_uid()
    good = [generate_uid() for _ in range(3)]
    bad = [generate_uid() for _ in range(failures)]
    assoc = archive_scu(running.port)
    assert assoc.is_established
    context = assoc.accepted_contexts[0]
    assert context.as_scp
    status, _ = assoc.send_n_event_report(
        event(transaction, good, bad), event_type, PUSH_MODEL, WELL_KNOWN
    )
    assoc.release()
    assert status.Status == 0
    record = running.records()[0]
    assert record.calling_ae == "ARCHIVE"
    assert commitment_of(record) == CommitmentResult(
        transaction,
        event_type,
        tuple(good),
        tuple(FailedCommitment(uid, 0x0112) for uid in bad),
    )


def test_a_large_report_is_one_record(running, archive_scu):
    good = [generate_uid() for _ in range(3000)]
    assoc = archive_scu(running.port)
    status, _ = assoc.send_n_event_report(event("1.2.3", good, []), 1, PUSH_MODEL, WELL_KNOWN)
    assoc.release()
    assert status.Status == 0
    result = commitment_of(running.records()[0])
    assert result is not None
    assert result.committed == tuple(good)


def test_a_report_beyond_the_limit_is_refused(start, archive_scu):
    running = start(max_event_bytes=1000)
    assoc = archive_scu(running.port)
    good = [generate_uid() for _ in range(50)]
    status, _ = assoc.send_n_event_report(event("1.2.3", good, []), 1, PUSH_MODEL, WELL_KNOWN)
    assoc.release()
    assert status.Status == 0x0110
    assert running.records() == []


def test_a_report_of_an_unknown_event_is_refused(running, archive_scu):
    assoc = archive_scu(running.port)
    status, _ = assoc.send_n_event_report(event("1.2.3", ["1.2"], []), 3, PUSH_MODEL, WELL_KNOWN)
    assoc.release()
    assert status.Status == 0x0113


def test_a_report_that_is_none_is_refused(running, connect, kit):
    peer = connect(running.port)
    peer.request(abstract=PUSH_MODEL)
    command = kit.element(0x0002, PUSH_MODEL.encode()) + kit.us(0x0100, 0x0100)
    command += kit.us(0x0110, 1) + kit.us(0x0800, 1) + kit.element(0x1000, WELL_KNOWN.encode())
    command += kit.us(0x1002, 1)
    for noise in (b"", b"\xff" * 100, b"\x08\0\x05\0CS\x02\0AB"):
        peer.send(kit.p_data(kit.pdv(3, command), kit.pdv(2, noise)))
        assert peer.status() == 0x0110
    assert running.records() == []


def test_a_report_in_a_storage_context_is_refused(running, connect, kit):
    peer = connect(running.port)
    peer.request()
    command = kit.element(0x0002, kit.CT.encode()) + kit.us(0x0100, 0x0100)
    command += kit.us(0x0110, 1) + kit.us(0x0800, 1) + kit.us(0x1002, 1)
    peer.send(kit.p_data(kit.pdv(3, command), kit.pdv(2, b"")))
    assert peer.status() == 0x0122
