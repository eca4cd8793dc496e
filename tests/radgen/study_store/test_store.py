"""Files come in by one path, whoever brings them."""

import json
import threading
from dataclasses import replace

import pytest
from pydicom import dcmread

from radgen.domain.errors import StoreError, UnreadableInstanceError
from radgen.study_store.arrival import (
    ArrivalKind,
    ArrivalRecord,
    CommitmentResult,
    FailedCommitment,
    commitment_of,
    detail_of,
)
from radgen.study_store.commit import Durability
from radgen.study_store.import_file import import_file
from radgen.study_store.store import StoreSettings, StoreWriter, StudyStore

RECORD = ArrivalRecord(ArrivalKind.INSTANCE, "2026-01-01T00:00:00Z", sop_instance_uid="1.2.3")


def put(writer, content: bytes, record: ArrivalRecord = RECORD) -> ArrivalRecord:
    part = writer.new_part()
    try:
        part.write((content,))
        return writer.put(part, record)
    finally:
        part.close()


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm", "MR_small_implicit.dcm"]
)
def test_an_imported_file_is_stored_element_by_element(writer, samples, name):
    record = import_file(writer, samples / name)
    assert record.kind is ArrivalKind.INSTANCE
    assert dcmread(writer.store.path_of(record)) == dcmread(samples / name)
    assert [one for one, _ in writer.store.read()] == [record]
    assert import_file(writer, samples / name).kind is ArrivalKind.DUPLICATE


@pytest.mark.parametrize(
    "name", ["MR_truncated.dcm", "image_dfl.dcm", "no_meta.dcm", "badVR.dcm", "README.txt"]
)
def test_a_file_that_is_no_whole_instance_is_not_imported(writer, samples, name):
    with pytest.raises(UnreadableInstanceError):
        import_file(writer, samples / name)
    assert list(writer.store.read()) == []
    assert list(writer.store.root.rglob("*.part")) == []


def test_a_missing_file_is_an_error_of_the_store(writer, tmp_path):
    with pytest.raises(StoreError):
        import_file(writer, tmp_path / "none.dcm")


def test_names_never_come_from_data(writer):
    record = put(writer, b"x", replace(RECORD, sop_instance_uid="../../../escape"))
    assert writer.store.path_of(record).parent.parent.parent.name == "instances"
    assert "escape" not in record.path


def test_a_record_that_points_outside_is_refused(writer):
    for path in ("../other", "/etc/passwd", ""):
        with pytest.raises(StoreError):
            writer.store.path_of(replace(RECORD, path=path))


def test_a_duplicate_is_compared_beyond_its_size(writer):
    content = bytes(600_000)
    assert put(writer, content).kind is ArrivalKind.INSTANCE
    assert put(writer, content).kind is ArrivalKind.DUPLICATE
    other = put(writer, content[:-1] + b"x")
    assert other.kind is ArrivalKind.CONFLICT
    assert writer.store.path_of(other).read_bytes() == content[:-1] + b"x"
    assert writer.store.path_of(put(writer, content)).read_bytes() == content


@pytest.mark.parametrize("durability", list(Durability))
def test_many_threads_put_at_once(tmp_path, durability):
    settings = StoreSettings(durability=durability, min_free_mb=1)
    with StoreWriter(tmp_path / "store", settings) as writer:

        def put_some(start: int) -> None:
            for number in range(start, start + 20):
                put(writer, b"%d" % number, replace(RECORD, sop_instance_uid=f"1.{number}"))

        threads = [threading.Thread(target=put_some, args=(20 * n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    records = [record for record, _ in StudyStore(tmp_path / "store").read()]
    contents = {one.sop_instance_uid: writer.store.path_of(one).read_bytes() for one in records}
    assert contents == {f"1.{number}": b"%d" % number for number in range(160)}


def test_a_closed_store_takes_nothing(tmp_path):
    writer = StoreWriter(tmp_path, StoreSettings(min_free_mb=1))
    writer.close()
    with pytest.raises(StoreError, match="closing"):
        writer.note(RECORD)


def test_opening_removes_leftovers_but_not_what_is_being_written(tmp_path):
    settings = StoreSettings(min_free_mb=1)
    with StoreWriter(tmp_path, settings) as first:
        part = first.new_part()
        (tmp_path / "parts" / "dead.part").write_bytes(b"left by a crash")
        with StoreWriter(tmp_path, settings) as second:
            assert second.leftovers == 1
        assert part.path.exists()
        part.close()
    assert list((tmp_path / "parts").iterdir()) == []


def test_quarantine_is_bounded_by_size(tmp_path):
    settings = StoreSettings(min_free_mb=1, quarantine_max_mb=1)
    with StoreWriter(tmp_path, settings) as writer:
        for kept in (True, False):
            part = writer.new_part()
            part.write((bytes(600_000),))
            record = writer.quarantine(part, replace(RECORD, reason="test"))
            part.close()
            assert record.detail["kept"] is kept
    reasons = [json.loads(path.read_text()) for path in tmp_path.glob("quarantine/*.json")]
    assert [reason["reason"] for reason in reasons] == ["test"]


def test_too_little_space_refuses_a_part(tmp_path):
    with (
        StoreWriter(tmp_path, StoreSettings(min_free_mb=10**9)) as writer,
        pytest.raises(StoreError, match="min_free_mb"),
    ):
        writer.new_part()


def test_a_store_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError):
        StoreWriter(tmp_path / "file")


def test_a_commitment_survives_the_journal(writer):
    result = CommitmentResult("1.2", 2, ("1.3", "1.4"), (FailedCommitment("1.5", 0x0112),))
    writer.note(replace(RECORD, kind=ArrivalKind.COMMITMENT, detail=detail_of(result)))
    record, _ = next(writer.store.read())
    assert commitment_of(record) == result
    assert commitment_of(RECORD) is None
    assert commitment_of(replace(record, detail={"x": 1})) is None
