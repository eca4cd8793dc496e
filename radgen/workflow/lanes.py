"""Which work runs when: lanes by modality, an express lane for STAT, one for returning.

A full lane never preempts; that is why STAT has a lane of its own.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from dbos import DBOS, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID

from radgen.domain.errors import StoreError
from radgen.workflow.flow import DraftFlow, Steps
from radgen.workflow.settings import WorkflowSettings

log = logging.getLogger(__name__)
# Changed by hand only: work begun under another name would stay PENDING for ever.
FLOW_VERSION = "flow-1"
STAT, OTHER, RETURN = "stat", "other", "return"
STAT_PRIORITY, ROUTINE_PRIORITY = 1, 100  # 0, the library's default, would overtake both
RETURNS_AT_ONCE = 4
STOP_S = 5
# Nothing here waits for a notification; the library only looks for the end of its thread so often.
_LISTENER_S = 0.1
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class Lanes:
    """The running workflow engine of this process; a context manager."""

    def __init__(self, url: str, steps: Steps, settings: WorkflowSettings) -> None:
        """url: SQLAlchemy URL of the database that keeps the workflows."""
        self._settings = settings
        _join_our_log()
        DBOS(
            config={
                "name": "radgen",
                "system_database_url": url,
                "executor_id": settings.node,
                "application_version": FLOW_VERSION,
                "log_level": "WARNING",
                "serializer": DBOSPortableJSONSerializer(),
                "enable_otlp": False,
                "notification_listener_polling_interval_sec": _LISTENER_S,
            }
        )
        self._flow = DraftFlow(steps, settings)

    def __enter__(self) -> Self:
        """Migrates the workflow tables, recovers what was cut off, opens the lanes."""
        DBOS.launch()
        poll = self._settings.poll_s
        self._open(STAT, self._settings.stat_limit, poll / 5)
        self._open(OTHER, self._settings.other_limit, poll)
        self._open(RETURN, RETURNS_AT_ONCE, poll / 5)
        for modality, limit in self._settings.limits.items():
            self._open(modality, limit, poll)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Lets running steps finish for a moment; what does not is recovered at the next start."""
        # Asked to wait at all, the library waits a second at least.
        patience = STOP_S if self._flow.is_busy() else 0
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=patience)

    def submit_draft(
        self, study_uid: str, version: int, attempt: int, modality: str, *, stat: bool
    ) -> None:
        """Drafts a version once, however often this is called for the same attempt.

        Raises: StoreError if the database of the workflows refuses.
        """
        lane = STAT if stat else modality if modality in self._settings.limits else OTHER
        with (
            _own_errors(),
            SetWorkflowID(draft_id(study_uid, version, attempt)),
            SetEnqueueOptions(priority=STAT_PRIORITY if stat else ROUTINE_PRIORITY),
        ):
            DBOS.enqueue_workflow(lane, self._flow.draft, study_uid, version)

    def submit_return(self, study_uid: str, version: int, attempt: int, *, stat: bool) -> None:
        """Returns a drafted version once, however often this is called for the same attempt.

        Raises: StoreError as `submit_draft`.
        """
        with (
            _own_errors(),
            SetWorkflowID(return_id(study_uid, version, attempt)),
            SetEnqueueOptions(priority=STAT_PRIORITY if stat else ROUTINE_PRIORITY),
        ):
            DBOS.enqueue_workflow(RETURN, self._flow.give_back, study_uid, version)

    @staticmethod
    def _open(name: str, limit: int, poll_s: float) -> None:
        DBOS.register_queue(
            name,
            worker_concurrency=limit,
            polling_interval_sec=max(poll_s, 0.05),
            on_conflict="always_update",
        )

    def recover(self, node: str) -> int:
        """Takes over the unfinished work of a node that is known to be dead.

        Returns: how many workflows were taken over. Raises: StoreError as `submit_draft`.
        """
        with _own_errors():
            return len(DBOS._recover_pending_workflows([node]))  # noqa: SLF001 - no public door to it

    @staticmethod
    def nodes_with_work() -> set[str]:
        """Names of all nodes that have unfinished workflows, this one included.

        Raises: StoreError as `submit_draft`.
        """
        with _own_errors():
            pending = DBOS.list_workflows(status="PENDING", load_input=False)
        return {status.executor_id for status in pending if status.executor_id}

    @staticmethod
    def ended(ids: Sequence[str]) -> dict[str, str]:
        """Those of `ids` whose workflow has ended, however it did, each with how it ended.

        Raises: StoreError as `submit_draft`.
        """
        if not ids:
            return {}
        with _own_errors():
            found = DBOS.list_workflows(
                workflow_ids=list(ids), status=_ENDED, load_input=False, load_output=False
            )
        return {status.workflow_id: str(status.status) for status in found}


def draft_id(study_uid: str, version: int, attempt: int) -> str:
    """The name of the work that drafts a version: a new attempt is another work."""
    return f"draft:{study_uid}:{version}:{attempt}"


def return_id(study_uid: str, version: int, attempt: int) -> str:
    """The name of the work that returns a drafted version."""
    return f"return:{study_uid}:{version}:{attempt}"


def _join_our_log() -> None:
    """Its records go where ours go: its own handler would print the text of every error."""
    library = logging.getLogger("dbos")
    library.addHandler(logging.NullHandler())
    library.propagate = True


@contextmanager
def _own_errors() -> Iterator[None]:
    """What the library's database raises, as ours: the worker tries again and must not end."""
    try:
        yield
    except Exception as error:
        raise StoreError(f"workflows: {type(error).__name__}") from error
