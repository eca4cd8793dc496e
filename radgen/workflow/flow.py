"""The durable work on one study version: drafting in the lane of its modality, then returning.

A step that was cut off is repeated, so every effect behind a step may be repeated without harm: the
draft row is written once, SR UIDs are computed from it, and a peer that has a document already
counts as success. Two workflows, so that an archive that is down never holds up drafting. Nothing
waits here for a person: sign-off is a workflow of its own.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from dbos import DBOS

from radgen.domain.errors import PeerError, RadgenError, StoreError
from radgen.workflow.settings import WorkflowSettings

log = logging.getLogger(__name__)
Effect = Callable[[str, int], None]
Chain = Sequence[tuple[str, Effect]]


class Steps(Protocol):
    """What the flow calls; each may be repeated without harm."""

    def draft(self, study_uid: str, version: int) -> None:
        """Read the images and record the one draft of this version."""

    def give_back(self, study_uid: str, version: int) -> None:
        """Send the SRs of the draft to the archive."""

    def confirm(self, study_uid: str, version: int) -> None:
        """Make sure that the archive keeps them."""

    def give_up(self, study_uid: str, version: int, reason: str) -> None:
        """Record why this version waits for a person."""


class DraftFlow:
    """The two workflows of one study version, bound to their steps.

    Made before DBOS is launched: making it registers them, under names that recovery finds again.
    """

    def __init__(self, steps: Steps, settings: WorkflowSettings) -> None:
        self._steps = steps
        self._settings = settings
        self._busy = 0
        self._lock = threading.Lock()
        to_draft: Chain = (("draft", steps.draft),)
        to_return: Chain = (("give_back", steps.give_back), ("confirm", steps.confirm))

        # Functions, because the library registers a workflow by setting attributes on it.
        @DBOS.workflow(name="draft", max_recovery_attempts=50)
        def draft(study_uid: str, version: int) -> str:
            """From complete to drafted. Returns "" or the reason why it was given up."""
            return self._run(to_draft, study_uid, version)

        @DBOS.workflow(name="return", max_recovery_attempts=50)
        def give_back(study_uid: str, version: int) -> str:
            """From drafted to confirmed. Returns "" or the reason why it was given up."""
            return self._run(to_return, study_uid, version)

        self.draft = draft
        self.give_back = give_back

    def is_busy(self) -> bool:
        """True while a step runs in this process."""
        return self._busy > 0

    def _run(self, steps: Chain, study_uid: str, version: int) -> str:
        with self._lock:
            self._busy += 1
        try:
            return self._run_chain(steps, study_uid, version)
        finally:
            with self._lock:
                self._busy -= 1

    def _run_chain(self, steps: Chain, study_uid: str, version: int) -> str:
        for name, effect in steps:
            fault = self._step(name, effect, study_uid, version)
            if fault:
                DBOS.run_step({"name": "give_up"}, self._steps.give_up, study_uid, version, fault)
                return fault
        return ""

    def _step(self, name: str, effect: Effect, study_uid: str, version: int) -> str:
        """One durable step. Returns "" or the fault that ended it."""
        try:
            return DBOS.run_step(
                {
                    "name": name,
                    "retries_allowed": True,
                    "max_attempts": self._settings.peer_attempts,
                    "interval_seconds": self._settings.peer_pause_s,
                    "backoff_rate": self._settings.peer_backoff,
                    "should_retry": may_pass,
                },
                _without_final_errors(effect),
                study_uid,
                version,
            )
        except Exception as error:  # noqa: BLE001 - whatever it was, the study must not hang
            log.warning("step given up", extra={"step": name, "error": type(error).__name__})
            return last_fault(error)


def may_pass(error: BaseException) -> bool:
    """True for faults of others, which the same call may not meet again."""
    return isinstance(error, PeerError | StoreError)


def last_fault(error: BaseException) -> str:
    """What to tell a person: the last fault of all attempts where there were several."""
    attempts = getattr(error, "errors", None)
    if attempts:
        return f"{describe(attempts[-1])} (after {len(attempts)} attempts)"
    return describe(error)


def describe(error: BaseException) -> str:
    """Kind and text of our own errors; only the kind of others, whose text may hold identity."""
    if isinstance(error, RadgenError):
        return f"{type(error).__name__}: {error}"
    return f"unexpected {type(error).__name__}"


def _without_final_errors(effect: Effect) -> Callable[[str, int], str]:
    """`effect` with its final errors as a returned text, so that a replay sees the same."""

    def step(study_uid: str, version: int) -> str:
        try:
            effect(study_uid, version)
        except RadgenError as error:
            if may_pass(error):
                raise
            return describe(error)
        return ""

    return step
