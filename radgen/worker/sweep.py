"""Looks at every study that still arrives and closes what is complete.

The rule is `radgen.completeness.decide`; here it gets its facts: arrivals from the ledger, the
count from the archive, the time from the caller.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from radgen.completeness import Arriving, Complete, CompletenessPolicy, decide
from radgen.domain.errors import PeerError, PeerUnreachableError
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import ReceivingStudy

log = logging.getLogger(__name__)
CountImages = Callable[[str], int | None]
"""Study UID -> how many images the archive has of it, None where it cannot say."""
SILENT_PAUSES = 3
"""An archive that did not answer is left alone for so many times `ask_archive_s`: each question to
one that hangs holds up the whole heartbeat until it times out."""


class Sweep:
    """Closes complete versions; remembers only when it last asked the archive, and in vain."""

    def __init__(
        self, ledger: Ledger, policy: CompletenessPolicy, count_images: CountImages | None
    ) -> None:
        """count_images: None where there is no archive that can be asked."""
        self._ledger = ledger
        self._policy = policy
        self._count_images = count_images
        self._asked: dict[str, datetime] = {}
        self._silent_until: datetime | None = None

    def close_complete(self, now: datetime) -> int:
        """Looks at every receiving study once. Returns: how many versions it closed."""
        studies = self._ledger.receiving_studies()
        arriving = {study.study_uid for study in studies}
        self._asked = {uid: at for uid, at in self._asked.items() if uid in arriving}
        return sum(self._look_at(study, now) for study in studies)

    def _look_at(self, study: ReceivingStudy, now: datetime) -> bool:
        arriving = _arriving(study, self._expected(study, now))
        decision = decide(arriving, now, self._policy)
        if not isinstance(decision, Complete):
            return False
        return self._ledger.complete(
            study.study_uid, study.version, decision.reason, decision.missing, study.instance_count
        )

    def _expected(self, study: ReceivingStudy, now: datetime) -> int | None:
        """What the archive last said since the newest image came; asks again when that is old."""
        known = study.expected_count if _is_fresh(study) else None
        if self._count_images is None or not self._may_ask(study, now):
            return known
        self._asked[study.study_uid] = now
        try:
            count = self._count_images(study.study_uid)
        except PeerError as error:
            log.warning("archive gave no count", extra={"error": type(error).__name__})
            if isinstance(error, PeerUnreachableError):
                pause = timedelta(seconds=SILENT_PAUSES * self._policy.ask_archive_s)
                self._silent_until = now + pause
            return known
        self._ledger.set_expected(study.study_uid, count)
        return count

    def _may_ask(self, study: ReceivingStudy, now: datetime) -> bool:
        """Not while images stream in (the answer would be old at once), and not too often."""
        if now - study.last_at < timedelta(seconds=self._policy.settle_s):
            return False
        if self._silent_until is not None and now < self._silent_until:
            return False
        asked = self._asked.get(study.study_uid)
        # An image that came since the last question makes a new question due at once.
        pause = timedelta(seconds=self._policy.ask_archive_s)
        return asked is None or asked < study.last_at or now - asked >= pause


def _is_fresh(study: ReceivingStudy) -> bool:
    """True if the archive was asked after the newest image came."""
    return study.expected_at is not None and study.expected_at >= study.last_at


def _arriving(study: ReceivingStudy, expected: int | None) -> Arriving:
    return Arriving(
        modality=study.modality,
        first_at=study.first_at,
        last_at=study.last_at,
        received=study.instance_count,
        expected=expected,
        released_at=study.association_ended_at,
    )
