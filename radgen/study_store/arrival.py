"""What the journal says: one record for each thing that arrived."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError


class ArrivalKind(StrEnum):
    """What a record tells.

    DUPLICATE: the same bytes came again. The record of the first time may have been lost in a
        crash, so a reader that does not know the instance takes it as an arrival.
    CONFLICT: other bytes under a known SOP Instance UID; both files are kept.
    CORRUPT: never written; the reader yields it for a line that is no record.
    """

    INSTANCE = "instance"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    COMMITMENT = "commitment"
    ASSOCIATION_ENDED = "association-ended"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class ArrivalRecord:
    """One line of the journal; fields that do not apply are empty.

    received_at: ISO 8601, UTC.
    path: relative to the root of the store, "/" between folders.
    size: bytes of the file, file meta included.
    reason: short words that say why (quarantine, corrupt line), no identity.
    detail: what only one kind has; JSON values.
    """

    kind: ArrivalKind
    received_at: str
    path: str = ""
    sop_instance_uid: str = ""
    sop_class_uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    transfer_syntax_uid: str = ""
    calling_ae: str = ""
    called_ae: str = ""
    peer_address: str = ""
    size: int = 0
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FailedCommitment:
    """One instance that the archive will not answer for; reason as in PS3.3 C.14.1.1."""

    sop_instance_uid: str
    reason: int


@dataclass(frozen=True, slots=True)
class CommitmentResult:
    """The archive's answer to a storage commitment request (PS3.4 J.3.3).

    event_type: 1 all stored, 2 some failed.
    """

    transaction_uid: str
    event_type: int
    committed: tuple[str, ...]
    failed: tuple[FailedCommitment, ...]


_RECORD = TypeAdapter(ArrivalRecord)
_COMMITMENT = TypeAdapter(CommitmentResult)


def encode_record(record: ArrivalRecord) -> bytes:
    """One line of JSON with its line feed; control characters inside are escaped."""
    return _RECORD.dump_json(record, exclude_defaults=True) + b"\n"


def decode_record(line: bytes) -> ArrivalRecord | None:
    """The record of one line, None if the line is no record."""
    try:
        return _RECORD.validate_json(line)
    except ValidationError:
        return None


def detail_of(result: CommitmentResult) -> dict[str, Any]:
    """The `detail` of a COMMITMENT record."""
    detail: dict[str, Any] = _COMMITMENT.dump_python(result, mode="json")
    return detail


def commitment_of(record: ArrivalRecord) -> CommitmentResult | None:
    """What a COMMITMENT record says; None for other kinds and for a detail that is none."""
    if record.kind is not ArrivalKind.COMMITMENT:
        return None
    try:
        return _COMMITMENT.validate_python(record.detail)
    except ValidationError:
        return None
