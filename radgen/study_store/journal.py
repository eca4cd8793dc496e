"""The journal: append-only segments of JSON lines, durable before anything is acknowledged.

Several processes may append (the listener, an import): a lock file puts their batches one after
the other. Every opening starts a new segment, so that a reader's position never points into bytes
that a power failure took away and a later run wrote anew.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from radgen.domain.errors import StoreError
from radgen.study_store.arrival import ArrivalKind, ArrivalRecord, decode_record, encode_record

SEGMENT_BYTES = 16 * 1024 * 1024
_SEGMENT_NAME = re.compile(r"\d{8}\.jsonl")
_BLOCK = 65536


@dataclass(frozen=True, slots=True, order=True)
class JournalPosition:
    """Just behind one record: segment number and byte offset in it. The default is the start."""

    segment: int = 0
    offset: int = 0


def journal_folder(root: Path) -> Path:
    """Where the segments of the store at `root` lie."""
    return root / "journal"


def segment_numbers(folder: Path) -> list[int]:
    """Numbers of the segments in `folder`, oldest first."""
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir())
    return sorted(int(name[:8]) for name in names if _SEGMENT_NAME.fullmatch(name))


def _segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.jsonl"


class JournalWriter:
    """Appends records; one batch is one write and, if `sync`, one fdatasync. Thread-safe."""

    def __init__(
        self, root: Path, *, sync: bool = True, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        """Opens the journal: heals a torn last line and starts a new segment.

        Raises: StoreError if the folder cannot be written.
        """
        self._folder = journal_folder(root)
        self._sync = sync
        self._segment_bytes = segment_bytes
        self._mutex = Lock()
        self._fd = -1
        self._number = 0
        self._next_path = ""
        self._size = 0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._lock_fd = os.open(self._folder / "lock", flags, 0o640)
            with self._locked():
                self._open_last()
                if self._size:
                    self._open_segment(self._number + 1)
        except OSError as error:
            raise StoreError(f"journal cannot be opened: {error.strerror}") from error

    def append(self, records: Sequence[ArrivalRecord]) -> None:
        """Writes `records`; see `append_lines`."""
        self.append_lines(b"".join(map(encode_record, records)))

    def append_lines(self, data: bytes) -> None:
        """Writes encoded records; when it returns they are durable (if `sync`).

        Raises: StoreError if the disk refused; then none of them stands in the journal.
        """
        with self._mutex:
            try:
                with self._locked():
                    self._take_segment()
                    self._write(data)
            except OSError as error:
                raise StoreError(f"journal cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Lets go of the files; nothing is pending."""
        with self._mutex:
            os.close(self._fd)
            os.close(self._lock_fd)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_fd, fcntl.LOCK_UN)

    def _take_segment(self) -> None:
        """Makes the open segment the newest one, whole, with room."""
        if os.access(self._next_path, os.F_OK):
            self._open_last()
        elif os.fstat(self._fd).st_size != self._size:  # another process was here, or died here
            self._size = _heal(self._fd)
        if self._size >= self._segment_bytes:
            self._open_segment(self._number + 1)

    def _open_last(self) -> None:
        numbers = segment_numbers(self._folder)
        self._open_segment(numbers[-1] if numbers else 1)

    def _open_segment(self, number: int) -> None:
        path = _segment_path(self._folder, number)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        self._number = number
        self._next_path = str(_segment_path(self._folder, number + 1))
        self._size = _heal(fd)
        if self._sync:
            sync_folder(self._folder)

    def _write(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            if self._sync:
                os.fdatasync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += len(data)


def sync_folder(folder: Path | str) -> None:
    """Makes the names in `folder` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _heal(fd: int) -> int:
    """Cuts a torn last line, which nobody was told of; returns the size that stays."""
    size = end = os.fstat(fd).st_size
    whole = 0
    while end > 0 and not whole:
        start = max(0, end - _BLOCK)
        whole = start + os.pread(fd, end - start, start).rfind(b"\n") + 1
        if whole == start:  # no line feed in this block
            whole = 0
        end = start
    if whole != size:
        os.ftruncate(fd, whole)
        os.fdatasync(fd)
    return whole


def read_journal(
    root: Path,
    after: JournalPosition = JournalPosition(),
) -> Iterator[tuple[ArrivalRecord, JournalPosition]]:
    """Whole records behind `after`, each with the position behind it; ends where writing goes on.

    A whole line that is no record is yielded as kind CORRUPT, so that reading gets past it. A last
    line without its line feed is still being written: it is left for the next call.
    """
    folder = journal_folder(root)
    numbers = segment_numbers(folder)
    for number in numbers:
        if number < after.segment:
            continue
        offset = after.offset if number == after.segment else 0
        closed = number != numbers[-1]  # listed before it was read, so nothing follows in it
        yield from _read_segment(_segment_path(folder, number), number, offset, closed=closed)


def _read_segment(
    path: Path, number: int, offset: int, *, closed: bool
) -> Iterator[tuple[ArrivalRecord, JournalPosition]]:
    with path.open("rb") as lines:
        lines.seek(offset)
        for line in lines:
            start, offset = offset, offset + len(line)
            whole = line.endswith(b"\n")
            if not whole and not closed:
                return
            record = decode_record(line) if whole else None
            yield record or _corrupt(number, start), JournalPosition(number, offset)


def _corrupt(segment: int, offset: int) -> ArrivalRecord:
    detail = {"segment": segment, "offset": offset}
    return ArrivalRecord(ArrivalKind.CORRUPT, "", reason="line is no record", detail=detail)
