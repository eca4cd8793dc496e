"""From a received file to a durable one: data, then name, then journal line, then the answer.

That order is the promise: a final name never stands for half a file, and a journal line never for
a file that a power failure can take. `GroupCommit` does one round of flushes for everything that
waits, whichever association it came from, so the cost of a flush is shared.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Condition, Lock, Thread
from typing import Protocol

from radgen.domain.errors import StoreError
from radgen.study_store.journal import JournalWriter, sync_folder
from radgen.study_store.part import Part


class Durability(StrEnum):
    """GROUPED: flushes shared between associations. EACH: one round for each. NONE: no flush."""

    GROUPED = "grouped"
    EACH = "each"
    NONE = "none"


@dataclass(slots=True)
class Commitment:
    """One thing to make durable: journal lines, and the file they tell of if there is one.

    taken: afterwards, whether the final name stood for another file already (nothing was done).
    error: afterwards, why it failed.
    """

    lines: bytes
    part: Part | None = None
    target: str = ""
    taken: bool = False
    error: OSError | StoreError | None = None
    done: Lock = field(default_factory=Lock)


class Committer(Protocol):
    """Makes commitments durable."""

    def commit(self, commitment: Commitment) -> None:
        """Returns when it is durable or known to have failed."""

    def close(self) -> None:
        """Ends after what is in hand."""


class _Rounds:
    """One round: data of all, names of all, folders of all, one journal batch."""

    def __init__(self, journal: JournalWriter, *, sync: bool) -> None:
        self._journal = journal
        self._sync = sync

    def run(self, group: Sequence[Commitment]) -> None:
        if self._sync:
            for commitment in group:
                _flush_data(commitment)
        for commitment in group:
            _give_name(commitment)
        ready = [one for one in group if one.error is None and not one.taken]
        if not ready:
            return
        try:
            if self._sync:
                _flush_folders(ready)
            self._journal.append_lines(b"".join([one.lines for one in ready]))
        except (OSError, StoreError) as error:
            for one in ready:
                one.error = error


class DirectCommit:
    """Each thread does its own flushes (or none)."""

    def __init__(self, journal: JournalWriter, *, sync: bool) -> None:
        self._rounds = _Rounds(journal, sync=sync)

    def commit(self, commitment: Commitment) -> None:
        """As in `Committer`."""
        self._rounds.run((commitment,))

    def close(self) -> None:
        """As in `Committer`."""


class GroupCommit:
    """One thread flushes for all; what comes while it flushes makes the next group."""

    def __init__(self, journal: JournalWriter) -> None:
        self._rounds = _Rounds(journal, sync=True)
        self._waiting: list[Commitment] = []
        self._wake = Condition(Lock())
        self._closing = False
        self._thread = Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def commit(self, commitment: Commitment) -> None:
        """As in `Committer`. Raises: StoreError if the store is closing."""
        commitment.done.acquire()
        with self._wake:
            if self._closing:
                raise StoreError("the store is closing")
            self._waiting.append(commitment)
            self._wake.notify()
        commitment.done.acquire()

    def close(self) -> None:
        """As in `Committer`."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                group, self._waiting = self._waiting, []
            if not group:
                return
            self._rounds.run(group)
            for commitment in group:
                commitment.done.release()


def _flush_data(commitment: Commitment) -> None:
    if commitment.part is not None:
        try:
            os.fdatasync(commitment.part.fd)
        except OSError as error:
            commitment.error = error


def _give_name(commitment: Commitment) -> None:
    if commitment.part is None or commitment.error is not None:
        return
    try:
        commitment.part.link(commitment.target)
    except FileExistsError:
        commitment.taken = True
    except OSError as error:
        commitment.error = error


def _flush_folders(group: Sequence[Commitment]) -> None:
    """Makes the new names durable; the folders themselves are since the store was opened."""
    for folder in {one.target.rpartition("/")[0] for one in group if one.part is not None}:
        sync_folder(folder)
