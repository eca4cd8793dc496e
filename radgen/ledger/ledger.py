"""The ledger: one object over one database, safe to share between threads.

Every method is one transaction. Methods raise StoreError where the database refuses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Unpack

from radgen.domain.report import DraftReport
from radgen.domain.study import VersionState
from radgen.ledger import arrivals as arrival_tables
from radgen.ledger import database, drafts, ready, returns, timeline, versions
from radgen.ledger import worklist as lists
from radgen.ledger.rows import (
    Arrival,
    AssociationEnd,
    CommitmentRow,
    DeadLetter,
    DraftRow,
    InstanceRow,
    PageKey,
    QuarantineRow,
    ReadyVersion,
    ReceivingStudy,
    StudyDetail,
    VersionFields,
    VersionRow,
    WorklistFilter,
    WorklistRow,
)


def utc_now() -> datetime:
    """The clock of the ledger unless it is given another."""
    return datetime.now(UTC)


class Ledger:
    """What is true about each study."""

    def __init__(self, url: str, clock: Callable[[], datetime] = utc_now) -> None:
        """Prepares the database at `url`; call `migrate` before anything else.

        url: `sqlite:////folder/ledger.sqlite` or `postgresql://user@host/database`.
        Raises: ConfigurationError for another kind of URL, StoreError if the file cannot be made.
        """
        self._engine = database.open_engine(url)
        self._clock = clock

    def migrate(self) -> None:
        """Brings the schema to the newest step; harmless to repeat, also at the same time."""
        database.migrate(self._engine)

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def check(self) -> None:
        """Asks the database one question.

        Raises: StoreError if it does not answer, or the schema is not there.
        """
        self.journal_position()

    # Arrivals

    def take_in(
        self,
        arrivals: Sequence[Arrival],
        position: str,
        ends: Sequence[AssociationEnd] = (),
        quarantined: Sequence[QuarantineRow] = (),
    ) -> set[str]:
        """Records a stretch of the journal and, in the same transaction, how far it was read.

        Taking the same lines in again changes nothing. A stored image that comes after the current
        version was completed opens the next one; duplicates, conflicts and objects that are not
        images never do.
        Returns: UIDs of the studies that got a new image.
        """
        with database.writing(self._engine) as connection:
            timeline.set_aside(connection, quarantined)
            return arrival_tables.take_in(connection, arrivals, ends, position)

    def journal_position(self) -> str | None:
        """How far the journal was taken in; None before the first time."""
        with database.reading(self._engine) as connection:
            return arrival_tables.journal_position(connection)

    def set_expected(self, study_uid: str, count: int | None) -> bool:
        """Notes how many instances the archive says there are; False for an unknown study."""
        with database.writing(self._engine) as connection:
            return arrival_tables.set_expected(connection, study_uid, count, self._clock())

    def record_quarantine(self, row: QuarantineRow) -> None:
        """Notes a file that was set aside; the same file at the same time is one event."""
        with database.writing(self._engine) as connection:
            timeline.set_aside(connection, [row])

    def list_quarantine(self, limit: int = 100) -> tuple[QuarantineRow, ...]:
        """The newest files in quarantine."""
        with database.reading(self._engine) as connection:
            return timeline.in_quarantine(connection, limit)

    # Versions

    def receiving_studies(self) -> list[ReceivingStudy]:
        """Studies whose current version still receives, longest silent first."""
        with database.reading(self._engine) as connection:
            return versions.receiving(connection)

    def complete(
        self,
        study_uid: str,
        version: int,
        reason: str,
        missing: int | None,
        seen_count: int | None = None,
    ) -> bool:
        """Moves a version from RECEIVING to COMPLETE and freezes the list of its images.

        missing: how many instances the archive has that did not come; None when unknown.
        seen_count: `ReceivingStudy.instance_count` the decision rests on; where given, an image
            that came since makes it void.
        Returns: False if another was faster or an image came in between.
        """
        key = (study_uid, version)
        with database.writing(self._engine) as connection:
            return versions.complete(connection, key, (reason, missing), seen_count, self._clock())

    def move(
        self,
        study_uid: str,
        version: int,
        from_states: Iterable[VersionState],
        to_state: VersionState,
        **fields: Unpack[VersionFields],
    ) -> bool:
        """Moves a version on, stamps the time of the new state and appends to the timeline.

        DRAFTING counts one more attempt; FAILED back to COMPLETE forgets the failure.
        Returns: False if the version does not stand in one of `from_states` (any more).
        Raises: ValueError if `NEXT` does not allow the move, or it starts at RECEIVING (use
            `complete`).
        """
        key = (study_uid, version)
        with database.writing(self._engine) as connection:
            return versions.move(connection, key, from_states, to_state, fields, self._clock())

    def versions_in(
        self, states: Iterable[VersionState], limit: int = 1000
    ) -> tuple[VersionRow, ...]:
        """Versions that stand in one of `states`, oldest first."""
        with database.reading(self._engine) as connection:
            return versions.in_states(connection, states, limit)

    def ready_versions(
        self, states: Iterable[VersionState], limit: int = 1000
    ) -> list[ReadyVersion]:
        """Current versions that stand in one of `states`: STAT first, then the longest waiting."""
        with database.reading(self._engine) as connection:
            return ready.ready(connection, states, limit)

    def version(self, study_uid: str, version: int) -> VersionRow | None:
        """One version, None where there is none."""
        with database.reading(self._engine) as connection:
            found = versions.of_study(connection, study_uid)
        return next((row for row in found if row.version == version), None)

    def version_instances(self, study_uid: str, version: int) -> list[InstanceRow]:
        """The images frozen when this version became complete, in order of arrival."""
        with database.reading(self._engine) as connection:
            return lists.version_instances(connection, study_uid, version)

    # Drafts and what became of them

    def record_draft(
        self, report: DraftReport, engine: str, sr_uids: Sequence[str] = ()
    ) -> DraftReport:
        """Writes the draft of a study version unless there is one; returns the one that counts."""
        with database.writing(self._engine) as connection:
            return drafts.record(connection, report, engine, sr_uids, self._clock()).report

    def name_srs(self, study_uid: str, version: int, sr_uids: Sequence[str]) -> bool:
        """Notes the UIDs of the SRs built from a draft; False where there is no draft."""
        with database.writing(self._engine) as connection:
            return drafts.name_srs(connection, study_uid, version, sr_uids)

    def draft(self, study_uid: str, version: int) -> DraftRow | None:
        """The draft of a study version, None where there is none."""
        with database.reading(self._engine) as connection:
            return drafts.find(connection, study_uid, version)

    def drafts(self, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], DraftReport]:
        """The drafts of many (study UID, version); those without one are left out."""
        with database.reading(self._engine) as connection:
            return drafts.of_versions(connection, keys)

    def record_sent(
        self, study_uid: str, version: int, sr_uid: str, peer: str, status: str
    ) -> None:
        """Notes the answer of a peer to one SR; a repeat counts up and keeps the last answer."""
        key, target = (study_uid, version), (sr_uid, peer)
        with database.writing(self._engine) as connection:
            returns.record_sent(connection, key, target, status, self._clock())

    def ask_commitment(
        self, study_uid: str, version: int, transaction_uid: str, sr_uids: Sequence[str]
    ) -> None:
        """Notes that a peer was asked to commit to these SRs."""
        key = (study_uid, version)
        with database.writing(self._engine) as connection:
            returns.ask(connection, transaction_uid, key, sr_uids, self._clock())

    def answer_commitment(self, transaction_uid: str, event: str) -> bool:
        """Notes the peer's answer; False for a question never asked, or answered before."""
        with database.writing(self._engine) as connection:
            return returns.answer(connection, transaction_uid, event, self._clock())

    def commitment(self, transaction_uid: str) -> CommitmentRow | None:
        """One commitment, None for an unknown transaction UID."""
        with database.reading(self._engine) as connection:
            return returns.find(connection, transaction_uid)

    def record_event(
        self, study_uid: str, version: int, event: str, detail: Mapping[str, object]
    ) -> None:
        """Appends one event to the timeline; detail is plain JSON without identity."""
        key = (study_uid, version)
        with database.writing(self._engine) as connection:
            timeline.append(connection, self._clock(), key, event, detail)

    # Reads for people

    def worklist(
        self,
        wanted: WorklistFilter = WorklistFilter(),  # noqa: B008  # a frozen value
        after: PageKey | None = None,
        page_size: int = 50,
    ) -> list[WorklistRow]:
        """One page of studies, newest first, a STAT study a day further up.

        after: `WorklistRow.key` of the last row of the page before.
        """
        with database.reading(self._engine) as connection:
            return lists.worklist(connection, wanted, after, page_size)

    def study_detail(self, study_uid: str) -> StudyDetail | None:
        """All that is known about one study, None for an unknown one."""
        with database.reading(self._engine) as connection:
            return lists.detail(connection, study_uid)

    def stored_instance(self, study_uid: str, sop_uid: str) -> InstanceRow | None:
        """One stored instance of a study, None if the ledger does not know it."""
        with database.reading(self._engine) as connection:
            return lists.stored_instance(connection, study_uid, sop_uid)

    def image_count(self, study_uid: str) -> int:
        """How many images of a study are stored, 0 for an unknown one."""
        with database.reading(self._engine) as connection:
            return lists.image_count(connection, study_uid)

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Failed versions that nothing newer replaced, newest first."""
        with database.reading(self._engine) as connection:
            return lists.dead_letters(connection, limit)

    def counts_by_state(self) -> dict[VersionState, int]:
        """How many studies stand where, by their current version; every state is named."""
        with database.reading(self._engine) as connection:
            return lists.counts_by_state(connection)

    def modalities(self) -> list[str]:
        """Every modality in the list."""
        with database.reading(self._engine) as connection:
            return lists.modalities(connection)
