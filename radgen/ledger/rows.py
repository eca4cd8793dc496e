"""What goes into the ledger and what comes out of it, as frozen values. Times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from radgen.domain.report import DraftReport
from radgen.domain.study import VersionState


class ArrivalKind(StrEnum):
    """What the store did with a received instance."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # the same content again
    CONFLICT = "conflict"  # another content under a known UID


class Priority(StrEnum):
    """How urgent the order is."""

    STAT = "stat"
    ROUTINE = "routine"


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What the headers say about a study; "" where they do not. Holds PHI: never log it.

    The first value that is not empty stays, except that STAT always wins over ROUTINE.
    """

    patient_name: str = ""
    patient_id: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    accession: str = ""
    study_date: str = ""
    body_part: str = ""
    priority: Priority = Priority.ROUTINE


@dataclass(frozen=True, slots=True)
class Arrival:
    """One received instance.

    path: where the file lies, relative to the store.
    size: bytes of the file.
    is_image: False for SR, KO, PR (our own drafts coming back); such never open a version.
    """

    sop_uid: str
    study_uid: str
    series_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    modality: str
    path: str
    kind: ArrivalKind
    received_at: datetime
    calling_ae: str
    size: int
    is_image: bool = True
    facts: StudyFacts = field(default=StudyFacts())


@dataclass(frozen=True, slots=True)
class AssociationEnd:
    """An association that brought images of this study was released or broke."""

    study_uid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReceivingStudy:
    """A study whose current version still receives, as the completeness sweep needs it.

    first_at: first arrival of this version. last_at: newest stored image.
    instance_count: stored images of the whole study.
    """

    study_uid: str
    version: int
    modality: str
    instance_count: int
    first_at: datetime
    last_at: datetime
    association_ended_at: datetime | None
    expected_count: int | None
    expected_at: datetime | None
    calling_ae: str
    priority: Priority


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One received instance, as recorded."""

    study_uid: str
    sop_uid: str
    kind: ArrivalKind
    path: str
    series_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    modality: str
    received_at: datetime
    calling_ae: str
    size: int
    is_image: bool


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study. Holds PHI: never log it.

    version, state: the current version and where it stands.
    rank_at: place in the worklist, newest first; a STAT study stands a day further up.
    """

    study_uid: str
    version: int
    state: VersionState
    rank_at: datetime
    first_at: datetime
    last_at: datetime
    association_ended_at: datetime | None
    modality: str
    body_part: str
    study_date: str
    accession: str
    patient_name: str
    patient_id: str
    patient_birth_date: str
    patient_sex: str
    priority: Priority
    instance_count: int
    conflict_count: int
    expected_count: int | None
    expected_at: datetime | None
    calling_ae: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One study version and when it passed each state."""

    study_uid: str
    version: int
    state: VersionState
    opened_at: datetime
    complete_reason: str | None
    missing: int | None
    complete_at: datetime | None
    started_at: datetime | None
    drafted_at: datetime | None
    returned_at: datetime | None
    confirmed_at: datetime | None
    confirm_method: str | None
    failure: str | None
    attempts: int
    refusal: str | None
    pack: str | None
    engine: str | None


@dataclass(frozen=True, slots=True)
class ReadyVersion:
    """A current version that waits for its next step, with what decides its lane."""

    study_uid: str
    version: int
    state: VersionState
    attempts: int
    modality: str
    priority: Priority


class VersionFields(TypedDict, total=False):
    """What a move may write beside the state and its time.

    confirm_method: "commitment", "c-find" or "qido". failure: a reason without identity.
    """

    confirm_method: str
    failure: str
    refusal: str | None
    pack: str
    engine: str


@dataclass(frozen=True, slots=True)
class DraftRow:
    """The one draft of a study version. digest: SHA-256 over its JSON, 64 hex digits."""

    report: DraftReport
    digest: str
    sr_uids: tuple[str, ...]
    engine: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class SentRow:
    """The last answer of a peer to one SR. sends: how often it was sent."""

    sr_uid: str
    peer: str
    study_uid: str
    version: int
    at: datetime
    status: str
    sends: int


@dataclass(frozen=True, slots=True)
class CommitmentRow:
    """A storage commitment: asked, and answered where `event` is set."""

    transaction_uid: str
    study_uid: str
    version: int
    sr_uids: tuple[str, ...]
    asked_at: datetime
    event: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One event that can be neither changed nor deleted. detail: plain JSON without identity."""

    id: int
    at: datetime
    study_uid: str
    version: int
    event: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A received file that was set aside, and why."""

    path: str
    at: datetime
    reason: str
    calling_ae: str
    size: int


@dataclass(frozen=True, slots=True)
class PageKey:
    """The last row of a page: the next page starts behind it."""

    rank_at: datetime
    study_uid: str


@dataclass(frozen=True, slots=True)
class WorklistFilter:
    """Which studies to list; None means all."""

    modality: str | None = None
    state: VersionState | None = None


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """A study with its current version."""

    study: StudyRow
    version: VersionRow

    @property
    def key(self) -> PageKey:
        """Where the page after this row starts."""
        return PageKey(self.study.rank_at, self.study.study_uid)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A version that was given up, for a person to look at."""

    version: VersionRow
    modality: str
    body_part: str


@dataclass(frozen=True, slots=True)
class StudyDetail:
    """All that is known about one study; versions newest first, timeline oldest first."""

    study: StudyRow
    versions: tuple[VersionRow, ...]
    drafts: tuple[DraftRow, ...]
    instances: tuple[InstanceRow, ...]
    sent: tuple[SentRow, ...]
    commitments: tuple[CommitmentRow, ...]
    timeline: tuple[TimelineRow, ...]
