"""The study store: where received files lie, and who may write them.

```
root/instances/a/b/<name>.dcm     name: hex of SHA-256 over the SOP Instance UID, never data
root/quarantine/<name>.dcm .json  what could not be filed, and why
root/journal/00000001.jsonl       one line for each arrival
root/parts/<random>.part          files being received
```

The 256 folders of instances are made when the store is opened: making folders while receiving
cost more than writing the files.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from radgen.domain.errors import StoreError
from radgen.study_store.arrival import ArrivalKind, ArrivalRecord, encode_record
from radgen.study_store.commit import (
    Commitment,
    Committer,
    DirectCommit,
    Durability,
    GroupCommit,
)
from radgen.study_store.journal import JournalPosition, JournalWriter, read_journal, sync_folder
from radgen.study_store.part import Part, remove_leftovers

_MEGABYTE = 1024 * 1024
_COMPARE_BYTES = 256 * 1024
_HEX = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How carefully and how much is kept.

    min_free_mb: below this much free space on the disk nothing is taken in.
    quarantine_max_mb, quarantine_max_files: what does not fit any more is told, not kept.
    """

    durability: Durability = Durability.GROUPED
    min_free_mb: int = 1024
    quarantine_max_mb: int = 1024
    quarantine_max_files: int = 1000


class StudyStore:
    """The store as its readers see it; opening it touches nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def path_of(self, record: ArrivalRecord) -> Path:
        """The file that `record` tells of. Raises: StoreError if it names none of this store."""
        path = (self.root / record.path).resolve()
        if not record.path or not path.is_relative_to(self.root):
            raise StoreError("record names no file of this store")
        return path

    def read(
        self, after: JournalPosition | None = None
    ) -> Iterator[tuple[ArrivalRecord, JournalPosition]]:
        """The records behind `after` (None: all); see `read_journal`."""
        return read_journal(self.root, after or JournalPosition())


class StoreWriter:
    """The store as it is written; several may be open, in one process or many. Thread-safe."""

    def __init__(self, root: Path, settings: StoreSettings | None = None) -> None:
        """Makes the folders, removes parts that a crash left behind, opens the journal.

        Raises: StoreError if the disk refuses.
        """
        self.store = StudyStore(root)
        self._settings = settings or StoreSettings()
        self._root = self.store.root
        self._parts = self._root / "parts"
        self._quarantine = self._root / "quarantine"
        try:
            _make_folders(self._root)
            self.leftovers = remove_leftovers(self._parts)
        except OSError as error:
            raise StoreError(f"store cannot be opened: {error.strerror}") from error
        durability = self._settings.durability
        sync = durability is not Durability.NONE
        self._journal = JournalWriter(self._root, sync=sync)
        self._committer: Committer = (
            GroupCommit(self._journal)
            if durability is Durability.GROUPED
            else DirectCommit(self._journal, sync=sync)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends after what is in hand."""
        self._committer.close()
        self._journal.close()

    def new_part(self) -> Part:
        """A file to write into. Raises: StoreError if the disk is full or refuses."""
        try:
            disk = os.statvfs(self._parts)
            if disk.f_bavail * disk.f_frsize < self._settings.min_free_mb * _MEGABYTE:
                raise StoreError("less free space than min_free_mb")
            return Part(self._parts)
        except OSError as error:
            raise StoreError(f"no part can be made: {error.strerror}") from error

    def put(self, part: Part, record: ArrivalRecord) -> ArrivalRecord:
        """Files `part` under the SOP Instance UID of `record`; when it returns, it is durable.

        Returns: the record as it stands in the journal, of kind INSTANCE, DUPLICATE or CONFLICT.
        Raises: StoreError if the disk refused. The part stays open: its owner closes it.
        """
        path = _instance_path(record.sop_instance_uid)
        filed = replace(record, kind=ArrivalKind.INSTANCE, path=path, size=part.size)
        if self._commit(filed, part):
            return filed
        return self._put_again(part, filed)

    def note(self, record: ArrivalRecord) -> None:
        """Writes a record that tells of no file. Raises: StoreError if the disk refused."""
        self._commit(record, None)

    def quarantine(self, part: Part, record: ArrivalRecord) -> ArrivalRecord:
        """Keeps `part` apart with the reason of `record` beside it, if there is room.

        Returns: the record as it stands in the journal; `detail["kept"]` says whether it was kept.
        Raises: StoreError if the disk refused.
        """
        record = replace(record, kind=ArrivalKind.QUARANTINED, size=part.size)
        if not self._has_quarantine_room(part.size):
            record = replace(record, detail={**record.detail, "kept": False})
            self._commit(record, None)
            return record
        path = f"quarantine/{secrets.token_hex(12)}.dcm"
        record = replace(record, path=path, detail={**record.detail, "kept": True})
        try:
            (self._root / path).with_suffix(".json").write_bytes(encode_record(record))
        except OSError as error:
            raise StoreError(f"reason cannot be written: {error.strerror}") from error
        self._commit(record, part)
        return record

    def _put_again(self, part: Part, record: ArrivalRecord) -> ArrivalRecord:
        """The name is taken: by the same bytes, or by others."""
        first = record.path
        try:
            if _same_bytes(part, self._root / first):
                return self._duplicate(record)
            other = f"{first[:-4]}-{_digest(part)}.dcm"
        except OSError as error:
            raise StoreError(f"stored file cannot be read: {error.strerror}") from error
        conflict = replace(
            record, kind=ArrivalKind.CONFLICT, path=other, detail={**record.detail, "first": first}
        )
        if self._commit(conflict, part):
            return conflict
        return self._duplicate(conflict)

    def _duplicate(self, record: ArrivalRecord) -> ArrivalRecord:
        duplicate = replace(record, kind=ArrivalKind.DUPLICATE)
        self._commit(duplicate, None)
        return duplicate

    def _commit(self, record: ArrivalRecord, part: Part | None) -> bool:
        """True when durable, False when the final name was taken. Raises: StoreError."""
        target = f"{self._root}/{record.path}" if part is not None else ""
        commitment = Commitment(encode_record(record), part, target)
        self._committer.commit(commitment)
        if commitment.error is not None:
            raise StoreError("not durable") from commitment.error
        return not commitment.taken

    def _has_quarantine_room(self, size: int) -> bool:
        files = 0
        for entry in os.scandir(self._quarantine):
            with suppress(FileNotFoundError):
                size += entry.stat(follow_symlinks=False).st_size
                files += entry.name.endswith(".dcm")
        limits = self._settings
        room = size <= limits.quarantine_max_mb * _MEGABYTE
        return room and files < limits.quarantine_max_files


def _instance_path(sop_instance_uid: str) -> str:
    name = hashlib.sha256(sop_instance_uid.encode()).hexdigest()
    return f"instances/{name[0]}/{name[1]}/{name}.dcm"


def _make_folders(root: Path) -> None:
    """Makes every folder that is not there yet, and makes it durable."""
    root.mkdir(parents=True, exist_ok=True)
    leaves = [root / "instances" / a / b for a in _HEX for b in _HEX]
    changed: set[Path] = set()
    for leaf in (root / "parts", root / "quarantine", *leaves):
        if not leaf.is_dir():
            leaf.mkdir(parents=True, exist_ok=True)
            changed.update((leaf.parent, root / "instances", root))
    for folder in changed:
        sync_folder(folder)


def _same_bytes(part: Part, path: Path) -> bool:
    with path.open("rb") as stored:
        if os.fstat(stored.fileno()).st_size != part.size:
            return False
        at = 0
        while block := stored.read(_COMPARE_BYTES):
            if block != os.pread(part.fd, len(block), at):
                return False
            at += len(block)
    return True


def _digest(part: Part) -> str:
    with os.fdopen(os.dup(part.fd), "rb") as received:
        received.seek(0)
        return hashlib.file_digest(received, "sha256").hexdigest()
