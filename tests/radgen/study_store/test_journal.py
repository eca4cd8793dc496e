"""The journal is whole lines, whatever happened to the one who wrote it."""

import multiprocessing
import resource
from pathlib import Path

import pytest

from radgen.domain.errors import StoreError
from radgen.study_store.arrival import ArrivalKind, ArrivalRecord, decode_record, encode_record
from radgen.study_store.journal import (
    JournalPosition,
    JournalWriter,
    journal_folder,
    read_journal,
    segment_numbers,
)


def record(number: int) -> ArrivalRecord:
    return ArrivalRecord(
        ArrivalKind.INSTANCE, "2026-01-01T00:00:00Z", sop_instance_uid=f"1.{number}"
    )


START = JournalPosition()


def uids(root: Path, after: JournalPosition = START) -> list[str]:
    return [one.sop_instance_uid for one, _ in read_journal(root, after)]


def write(root: Path, *numbers: int, **options) -> None:
    writer = JournalWriter(root, **options)
    for number in numbers:
        writer.append([record(number)])
    writer.close()


def newest(root: Path) -> Path:
    return journal_folder(root) / f"{segment_numbers(journal_folder(root))[-1]:08d}.jsonl"


def test_a_record_survives_its_line():
    whole = ArrivalRecord(
        ArrivalKind.QUARANTINED,
        "2026-01-01T00:00:00Z",
        path="quarantine/a.dcm",
        calling_ae='A"\n\\',
        reason="截断",
        size=3,
        detail={"kept": True, "n": [1, 2]},
    )
    line = encode_record(whole)
    assert line.count(b"\n") == 1
    assert decode_record(line) == whole


@pytest.mark.parametrize("line", [b"", b"\n", b"{}\n", b'{"kind":"none"}\n', b"\0\0\n", b"[1]\n"])
def test_what_is_no_record_is_none(line):
    assert decode_record(line) is None


def test_an_empty_store_has_no_records(tmp_path):
    assert uids(tmp_path) == []


def test_reading_goes_on_where_it_stopped(tmp_path):
    write(tmp_path, 1, 2, 3)
    _, position = list(read_journal(tmp_path))[1]
    assert uids(tmp_path, position) == ["1.3"]
    last = list(read_journal(tmp_path))[-1][1]
    assert uids(tmp_path, last) == []
    write(tmp_path, 4)
    assert uids(tmp_path, last) == ["1.4"]


def test_segments_follow_one_another(tmp_path):
    write(tmp_path, *range(20), segment_bytes=200)
    assert len(segment_numbers(journal_folder(tmp_path))) > 5
    assert uids(tmp_path) == [f"1.{number}" for number in range(20)]
    positions = [position for _, position in read_journal(tmp_path)]
    assert positions == sorted(positions)
    for number, position in enumerate(positions):
        assert uids(tmp_path, position) == [f"1.{after}" for after in range(number + 1, 20)]


def test_a_torn_tail_is_left_alone_until_it_is_whole(tmp_path):
    write(tmp_path, 1)
    line = encode_record(record(2))
    with newest(tmp_path).open("ab") as tail:
        tail.write(line[:-5])
        tail.flush()
        assert uids(tmp_path) == ["1.1"]
        tail.write(line[-5:])
    assert uids(tmp_path) == ["1.1", "1.2"]


@pytest.mark.parametrize("torn", [b"{", b"x" * 200_000, bytes(70_000)])
@pytest.mark.parametrize("before", [(), (1, 2)])
def test_a_torn_tail_is_cut_off_at_the_next_opening(tmp_path, torn, before):
    write(tmp_path, *before)
    with newest(tmp_path).open("ab") as tail:
        tail.write(torn)
    write(tmp_path, 3)
    assert uids(tmp_path) == [*(f"1.{number}" for number in before), "1.3"]


def test_a_torn_tail_of_another_process_is_cut_off_before_the_next_line(tmp_path):
    writer = JournalWriter(tmp_path)
    writer.append([record(1)])
    with newest(tmp_path).open("ab") as tail:
        tail.write(b'{"kind"')
    writer.append([record(2)])
    writer.close()
    assert uids(tmp_path) == ["1.1", "1.2"]


def test_a_corrupt_line_is_told_and_passed(tmp_path):
    write(tmp_path, 1)
    with newest(tmp_path).open("ab") as tail:
        tail.write(b"\0\0garbage\n" + encode_record(record(2)))
    read = list(read_journal(tmp_path))
    assert [str(one.kind) for one, _ in read] == ["instance", "corrupt", "instance"]
    assert read[1][0].detail["offset"] == read[0][1].offset
    assert uids(tmp_path, read[1][1]) == ["1.2"]


def test_a_torn_tail_in_a_closed_segment_is_told_and_passed(tmp_path):
    write(tmp_path, 1)
    torn = newest(tmp_path)
    write(tmp_path, 2)
    with torn.open("ab") as tail:
        tail.write(b"half")
    kinds = [str(one.kind) for one, _ in read_journal(tmp_path)]
    assert kinds == ["instance", "corrupt", "instance"]


def test_lines_that_a_power_failure_took_hide_no_later_ones(tmp_path):
    write(tmp_path, 1, 2)
    seen = list(read_journal(tmp_path))
    with newest(tmp_path).open("r+b") as segment:
        segment.truncate(seen[0][1].offset)  # record 2 was read, and never reached the disk
    write(tmp_path, 3)
    assert uids(tmp_path, seen[1][1]) == ["1.3"]


def append_many(root: Path, start: int) -> None:
    writer = JournalWriter(root, segment_bytes=2000)
    for number in range(start, start + 100):
        writer.append([record(number)])
    writer.close()


def test_several_processes_write_one_journal(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=append_many, args=(tmp_path, start)) for start in (0, 100, 200)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    read = list(read_journal(tmp_path))
    assert {str(one.kind) for one, _ in read} == {"instance"}
    assert sorted(one.sop_instance_uid for one, _ in read) == sorted(f"1.{n}" for n in range(300))


def fill_up(root: Path, answers) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    writer = JournalWriter(root)
    for number in range(20):
        try:
            writer.append([record(number)])
            answers.put(number)
        except StoreError:
            break
    answers.put(None)


def test_a_batch_that_does_not_fit_leaves_no_half_line(tmp_path):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=fill_up, args=(tmp_path, answers))
    process.start()
    written = list(iter(lambda: answers.get(timeout=30), None))
    process.join()
    assert 0 < len(written) < 20
    assert newest(tmp_path).read_bytes().endswith(b"\n")
    assert uids(tmp_path) == [f"1.{number}" for number in written]
