"""The engine's heartbeat: journal in, complete versions closed, ready versions into their lanes.

A turn that is cut off anywhere is simply done again: each part asks the ledger what is left.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from radgen.domain.errors import StoreError
from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Priority, ReadyVersion
from radgen.worker.intake import PriorityRules, take_in_journal
from radgen.worker.sweep import Sweep
from radgen.workflow.lanes import Lanes

log = logging.getLogger(__name__)
# DRAFTING and RETURNED too: after a crash their workflow is recovered, or, where the workflow
# database was lost, started again; the same id is never run twice.
TO_DRAFT = (VersionState.COMPLETE, VersionState.DRAFTING)
TO_RETURN = (VersionState.DRAFTED, VersionState.RETURNED)


class Worker:
    """One engine process."""

    def __init__(
        self,
        ledger: Ledger,
        store_root: Path,
        rules: PriorityRules,
        sweep: Sweep,
        lanes: Lanes,
    ) -> None:
        self._ledger = ledger
        self._store_root = store_root
        self._rules = rules
        self._sweep = sweep
        self._lanes = lanes
        self._submitted: set[tuple[str, int, int, bool]] = set()

    def run(self, stop: threading.Event, pause_s: float, keep: Callable[[], None]) -> None:
        """Turns until `stop` is set. keep: called every turn; raises when this node must end."""
        while not stop.wait(pause_s):
            keep()
            try:
                self.turn(datetime.now(UTC))
            except StoreError as error:
                # A full disk or a database that restarts: nothing is lost, the next turn goes on.
                log.error("turn failed, trying again", extra={"error": str(error)})  # noqa: TRY400

    def turn(self, now: datetime) -> None:
        """One look at everything that may move."""
        take_in_journal(self._ledger, self._store_root, self._rules)
        self._sweep.close_complete(now)
        ready = self._ledger.ready_versions((*TO_DRAFT, *TO_RETURN))
        waiting = {_key(version) for version in ready}
        for version in ready:
            if _key(version) not in self._submitted:
                self._submit(version)
        self._submitted = waiting

    def _submit(self, version: ReadyVersion) -> None:
        stat = version.priority is Priority.STAT
        key = (version.study_uid, version.version)
        if version.state in TO_RETURN:
            self._lanes.submit_return(*key, version.attempts, stat=stat)
        else:
            self._lanes.submit_draft(*key, _attempt(version), version.modality, stat=stat)


def _attempt(version: ReadyVersion) -> int:
    """The attempt a draft workflow belongs to: a version being drafted has counted it already."""
    return version.attempts - (version.state is VersionState.DRAFTING)


def _key(version: ReadyVersion) -> tuple[str, int, int, bool]:
    returning = version.state in TO_RETURN
    attempt = version.attempts if returning else _attempt(version)
    return version.study_uid, version.version, attempt, returning
