"""The engine's heartbeat: journal in, complete versions closed, ready versions into their lanes.

A turn that is cut off anywhere is simply done again: each part asks the ledger what is left.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from radgen.domain.errors import StoreError
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Priority, ReadyVersion
from radgen.worker.broken import TO_DRAFT, TO_RETURN, attempt_of, work_id
from radgen.worker.intake import PriorityRules, take_in_journal
from radgen.worker.sweep import Sweep
from radgen.workflow.lanes import Lanes

log = logging.getLogger(__name__)


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
        self._submitted: set[str] = set()

    def run(
        self,
        stop: threading.Event,
        pause_s: float,
        keep: Callable[[], None],
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        """Turns until `stop` is set.

        keep: called every turn; raises when this node must end.
        tidy: called every turn too; what it raises is tried again.
        """
        while not stop.wait(pause_s):
            keep()
            try:
                self.turn(datetime.now(UTC))
                tidy()
            except StoreError as error:
                # A full disk or a database that restarts: nothing is lost, the next turn goes on.
                log.error("turn failed, trying again", extra={"error": str(error)})  # noqa: TRY400

    def turn(self, now: datetime) -> None:
        """One look at everything that may move."""
        take_in_journal(self._ledger, self._store_root, self._rules)
        self._sweep.close_complete(now)
        ready = self._ledger.ready_versions((*TO_DRAFT, *TO_RETURN))
        for version in ready:
            if work_id(version) not in self._submitted:
                self._submit(version)
        self._submitted = set(map(work_id, ready))

    def _submit(self, version: ReadyVersion) -> None:
        stat = version.priority is Priority.STAT
        key = (version.study_uid, version.version, attempt_of(version))
        if version.state in TO_RETURN:
            self._lanes.submit_return(*key, stat=stat)
        else:
            self._lanes.submit_draft(*key, version.modality, stat=stat)
