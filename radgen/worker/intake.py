"""From the listener's journal to the ledger: what each line says, with the words of the header.

The journal knows UIDs; modality, patient and priority are read from the stored file here: the
listener never has to parse a dataset while a modality waits.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from pydicom.uid import UID

from radgen.dicom.read_file import open_header
from radgen.dicom.read_values import TAGS, HeaderValues
from radgen.dicom.write_header import SERIES_DESCRIPTION
from radgen.domain.errors import UnreadableInstanceError
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import (
    Arrival,
    ArrivalKind,
    AssociationEnd,
    Priority,
    QuarantineRow,
    StudyFacts,
)
from radgen.study_store.arrival import ArrivalKind as Kind
from radgen.study_store.arrival import ArrivalRecord, commitment_of
from radgen.study_store.journal import JournalPosition, read_journal

log = logging.getLogger(__name__)
BATCH = 200
"""Journal lines of one transaction: a long backlog neither holds the lock nor the memory."""

_FACTS = {
    "patient_name": "PatientName",
    "patient_id": "PatientID",
    "patient_birth_date": "PatientBirthDate",
    "patient_sex": "PatientSex",
    "accession": "AccessionNumber",
    "study_date": "StudyDate",
    "body_part": "BodyPartExamined",
}
_PRIORITY = ("RequestedProcedurePriority", "StudyPriorityID")
_DESCRIPTION = "StudyDescription"
_NOT_IN_DESCRIPTIONS = "HIGH"
"""A value of Requested Procedure Priority; in a description it is the high resolution of a CT."""
_STORED = {
    Kind.INSTANCE: (ArrivalKind.STORED,),
    # The record of the first time may have been lost in a crash; where it was not, taking the same
    # file in again changes nothing.
    Kind.DUPLICATE: (ArrivalKind.STORED, ArrivalKind.DUPLICATE),
    Kind.CONFLICT: (ArrivalKind.CONFLICT,),
}
_OTHERS = (*_PRIORITY, _DESCRIPTION, "Modality", "SeriesDescription")
_TAGS_READ = [TAGS[keyword] for keyword in (*_FACTS.values(), *_OTHERS)]


@dataclass(frozen=True, slots=True)
class PriorityRules:
    """What makes a study urgent.

    words: in Requested Procedure Priority (0040,1003), Study Priority ID or Study Description; HIGH
        in the first two only.
    calling_aes: senders whose every study is urgent, such as the emergency room's modality.
    """

    words: tuple[str, ...] = ("STAT", "HIGH", "EMERGENCY", "急诊")
    calling_aes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Batch:
    arrivals: list[Arrival] = field(default_factory=list)
    ends: list[AssociationEnd] = field(default_factory=list)
    quarantined: list[QuarantineRow] = field(default_factory=list)
    commitments: list[tuple[str, str]] = field(default_factory=list)


def take_in_journal(ledger: Ledger, root: Path, rules: PriorityRules) -> set[str]:
    """Takes in all whole lines the ledger has not seen; safe to repeat and to be killed.

    Returns: UIDs of the studies that got a new image.
    """
    touched: set[str] = set()
    lines = read_journal(root, _position(ledger.journal_position()))
    while stretch := list(islice(lines, BATCH)):
        batch = _Batch()
        for record, _ in stretch:
            _sort_in(record, root, rules, batch)
        # Before the position: an answer may be noted twice, but must not be lost in between.
        for transaction_uid, event in batch.commitments:
            ledger.answer_commitment(transaction_uid, event)
        position = stretch[-1][1]
        touched |= ledger.take_in(
            batch.arrivals,
            f"{position.segment}:{position.offset}",
            batch.ends,
            batch.quarantined,
        )
    return touched


def _position(text: str | None) -> JournalPosition:
    if text is None:
        return JournalPosition()
    segment, offset = text.split(":")
    return JournalPosition(int(segment), int(offset))


def _sort_in(record: ArrivalRecord, root: Path, rules: PriorityRules, batch: _Batch) -> None:
    """Adds one journal line to the batch it belongs to."""
    if record.kind in _STORED:
        _sort_in_instance(record, root, rules, batch)
    elif record.kind is Kind.ASSOCIATION_ENDED:
        at = datetime.fromisoformat(record.received_at)
        batch.ends.append(AssociationEnd(record.study_uid, at))
    elif record.kind is Kind.QUARANTINED:
        batch.quarantined.append(_quarantined(record, record.reason))
    elif record.kind is Kind.CORRUPT:
        log.error("journal line is no record", extra=dict(record.detail))
    else:
        batch.commitments += _answers(record)


def _sort_in_instance(
    record: ArrivalRecord, root: Path, rules: PriorityRules, batch: _Batch
) -> None:
    try:
        values = HeaderValues(open_header(root / record.path, _TAGS_READ))
    except UnreadableInstanceError as error:
        batch.quarantined.append(_quarantined(record, f"header: {error}"))
        return
    arrival = _arrival(record, values, rules)
    batch.arrivals += [replace(arrival, kind=kind) for kind in _STORED[record.kind]]


def _arrival(record: ArrivalRecord, values: HeaderValues, rules: PriorityRules) -> Arrival:
    return Arrival(
        sop_uid=record.sop_instance_uid,
        study_uid=record.study_uid,
        series_uid=record.series_uid,
        sop_class_uid=record.sop_class_uid,
        transfer_syntax_uid=record.transfer_syntax_uid,
        modality=values.text("Modality").upper(),
        path=record.path,
        kind=ArrivalKind.STORED,
        received_at=datetime.fromisoformat(record.received_at),
        calling_ae=record.calling_ae,
        size=record.size,
        is_image=is_image(record.sop_class_uid) and not _is_ours(values),
        facts=_facts(record, values, rules),
    )


def is_image(sop_class_uid: str) -> bool:
    """True for image storage: SR, KO, presentation states and our own drafts are not."""
    return "Image Storage" in UID(sop_class_uid).name


def _facts(record: ArrivalRecord, values: HeaderValues, rules: PriorityRules) -> StudyFacts:
    urgent = record.calling_ae in rules.calling_aes or _says_urgent(values, rules.words)
    texts = {name: values.text(keyword) for name, keyword in _FACTS.items()}
    return StudyFacts(**texts, priority=Priority.STAT if urgent else Priority.ROUTINE)


def _is_ours(values: HeaderValues) -> bool:
    """True for the picture of a draft that an archive sends back: it must not be drafted."""
    return values.text("SeriesDescription") == SERIES_DESCRIPTION


def _says_urgent(values: HeaderValues, words: Sequence[str]) -> bool:
    orders = " ".join(values.text(keyword) for keyword in _PRIORITY)
    in_text = [word for word in words if word.upper() != _NOT_IN_DESCRIPTIONS]
    return _has_word(orders, words) or _has_word(values.text(_DESCRIPTION), in_text)


def _has_word(text: str, words: Sequence[str]) -> bool:
    """Whole words for Latin script ("STAT" is not in "STATUS"), any place for Chinese."""
    return any(
        re.search(
            rf"(?<![A-Z0-9]){re.escape(word)}(?![A-Z0-9])" if word.isascii() else re.escape(word),
            text,
            re.IGNORECASE,
        )
        for word in words
        if word
    )


def _quarantined(record: ArrivalRecord, reason: str) -> QuarantineRow:
    at = datetime.fromisoformat(record.received_at) if record.received_at else datetime.now(UTC)
    return QuarantineRow(record.path, at, reason, record.calling_ae, record.size)


def _answers(record: ArrivalRecord) -> list[tuple[str, str]]:
    result = commitment_of(record)
    if result is None:
        return []
    return [(result.transaction_uid, "failed" if result.failed else "committed")]
