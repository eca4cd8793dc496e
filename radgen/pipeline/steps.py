"""The steps bound to ledger, store, engine and archive; each may be repeated without harm.

Effect first, move second: after a crash the effect happens again and changes nothing, because the
draft row is written once and everything behind it is computed from that row.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from radgen.domain.errors import StoreError
from radgen.domain.report import DraftReport
from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.pipeline.reading import ReadingRoom, read_study, to_report
from radgen.pipeline.returning import ReturnDesk

log = logging.getLogger(__name__)
UNFINISHED = (
    VersionState.COMPLETE,
    VersionState.DRAFTING,
    VersionState.DRAFTED,
    VersionState.RETURNED,
    VersionState.FAILED,
)


def utc_now() -> datetime:
    """The clock of a draft, whole seconds: DICOM and the text show no more."""
    return datetime.now(UTC).replace(microsecond=0)


class StudySteps:
    """What `radgen.workflow` drives."""

    def __init__(
        self,
        ledger: Ledger,
        store_root: Path,
        room: ReadingRoom,
        desk: ReturnDesk,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._ledger = ledger
        self._store_root = store_root
        self._room = room
        self._desk = desk
        self._clock = clock

    def draft(self, study_uid: str, version: int) -> None:
        """Reads the images of a version and records its one draft.

        Raises: PeerError to be tried again, StudyError or PackError to be given up.
        """
        self._ledger.move(study_uid, version, (VersionState.COMPLETE,), VersionState.DRAFTING)
        row = self._ledger.version(study_uid, version)
        if row is None or row.state is not VersionState.DRAFTING:
            return  # drafted before a crash, or replaced by a newer version
        kept = self._ledger.draft(study_uid, version)
        if kept is None:
            self._read(study_uid, version, row.missing)
            kept = self._ledger.draft(study_uid, version)
        if kept is None:
            raise StoreError("the draft was written but cannot be found")
        structure = kept.report.structure
        pack = f"{structure.pack.name} {structure.pack.version}" if structure.pack else "none"
        self._ledger.move(
            study_uid,
            version,
            (VersionState.DRAFTING,),
            VersionState.DRAFTED,
            refusal=structure.refusal,
            pack=pack,
            engine=kept.engine,
        )

    def _read(self, study_uid: str, version: int, missing: int | None) -> None:
        """Images to draft row. What the plan left out is noted in the timeline."""
        reading = read_study(self._sources(study_uid, version), self._room, missing)
        report = to_report(
            reading.structure,
            study_uid,
            version,
            self._clock(),
            self._predecessor(study_uid, version),
        )
        self._ledger.record_draft(report, self._room.engine.name)
        self._ledger.record_event(study_uid, version, "read", reading.summary())

    def _predecessor(self, study_uid: str, version: int) -> tuple[str, int] | None:
        """The newest older draft that an archive may hold."""
        for number in range(version - 1, 0, -1):
            older = self._ledger.draft(study_uid, number)
            if older is not None and older.sr_uids:
                return older.sr_uids[0], number
        return None

    def give_back(self, study_uid: str, version: int) -> None:
        """Builds the SRs of the draft, checks them, sends them to the archive.

        Raises: PeerError to be tried again, StudyError to be given up.
        """
        row = self._ledger.version(study_uid, version)
        if row is None or row.state is not VersionState.DRAFTED:
            return
        report = self._report(study_uid, version)
        documents = self._desk.build(report, self._sources(study_uid, version))
        # Named before they are sent: whatever the archive may hold, the ledger knows of.
        self._ledger.name_srs(study_uid, version, [each.sop_uid for each in documents])
        peer, status = self._desk.send(documents)
        for each in documents:
            self._ledger.record_sent(study_uid, version, each.sop_uid, peer, status)
        self._ledger.move(study_uid, version, (VersionState.DRAFTED,), VersionState.RETURNED)
        self._replace_older(study_uid, version)

    def confirm(self, study_uid: str, version: int) -> None:
        """Makes sure that the archive keeps every SR of the draft.

        Raises: PeerError while it does not say so.
        """
        row = self._ledger.version(study_uid, version)
        if row is None or row.state is not VersionState.RETURNED:
            return
        report = self._report(study_uid, version)
        documents = self._desk.build(report, self._sources(study_uid, version))
        key = (study_uid, version)
        method = self._desk.confirm(documents, self._ledger, key, row.attempts)
        self._ledger.move(
            study_uid,
            version,
            (VersionState.RETURNED,),
            VersionState.CONFIRMED,
            confirm_method=method,
        )

    def give_up(self, study_uid: str, version: int, reason: str) -> None:
        """Leaves the version to a person, with the reason."""
        # A version that failed before its first step counts an attempt all the same: a retry is
        # known by its number, and the number of the last one would never run again.
        self._ledger.move(study_uid, version, (VersionState.COMPLETE,), VersionState.DRAFTING)
        row = self._ledger.version(study_uid, version)
        if row is not None and row.state in UNFINISHED and row.state is not VersionState.FAILED:
            self._ledger.move(study_uid, version, (row.state,), VersionState.FAILED, failure=reason)

    def _report(self, study_uid: str, version: int) -> DraftReport:
        kept = self._ledger.draft(study_uid, version)
        if kept is None:
            raise StoreError("a drafted version has no draft")
        return kept.report

    def _sources(self, study_uid: str, version: int) -> list[Path]:
        rows = self._ledger.version_instances(study_uid, version)
        return [self._store_root / row.path for row in rows]

    def _replace_older(self, study_uid: str, version: int) -> None:
        """A newer draft is in the archive, so older versions are history."""
        states = (*UNFINISHED, VersionState.CONFIRMED)
        for number in range(version - 1, 0, -1):
            self._ledger.move(study_uid, number, states, VersionState.REPLACED)
