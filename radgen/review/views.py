"""From rows of the ledger to what one line of the page says; pure, with the clock as argument."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from radgen.domain.finding import Finding, FindingStructure, Presence
from radgen.domain.study import VersionState
from radgen.ledger.rows import PageKey, Priority, StudyRow, VersionRow, WorklistRow
from radgen.review.draft_view import measurement_lines
from radgen.review.settings import PageLanguage
from radgen.review.words import complete_text, finding_name, person_name, reason_text, words

ENDED = frozenset({VersionState.CONFIRMED, VersionState.FAILED, VersionState.REPLACED})


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One line of the worklist, in words."""

    study_uid: str
    version: int
    is_stat: bool
    patient: str
    patient_id: str
    patient_facts: str
    modality: str
    body_part: str
    study_date: str
    images: str
    missing: int | None
    conflicts: int
    state: VersionState
    state_word: str
    reason: str
    arrived: str
    timing: str
    is_waiting: bool
    refusal: str
    failure: str
    attempts: int
    positives: tuple[str, ...] = ()
    assessed: int | None = None
    measured: tuple[str, ...] = ()


def study_line(
    row: WorklistRow,
    now: datetime,
    language: PageLanguage,
    structure: FindingStructure | None = None,
) -> StudyLine:
    """What one line says at `now`; structure: what its draft says, None where there is none."""
    study, version = row.study, row.version
    timing, is_waiting = _timing(study, version, now, language)
    return StudyLine(
        study_uid=study.study_uid,
        version=version.version,
        is_stat=study.priority is Priority.STAT,
        patient=person_name(study.patient_name, language) or "–",
        patient_id=study.patient_id,
        patient_facts=_patient_facts(study),
        modality=study.modality,
        body_part=study.body_part,
        study_date=date_text(study.study_date),
        images=_images(study),
        missing=version.missing,
        conflicts=study.conflict_count,
        state=version.state,
        state_word=words(language)[f"state_{version.state.value}"],
        reason=complete_text(version.complete_reason or "", language),
        arrived=moment(study.last_at, now),
        timing=timing,
        is_waiting=is_waiting,
        refusal=reason_text(version.refusal, language) if version.refusal else "",
        failure=version.failure or "",
        attempts=version.attempts,
        positives=_positives(structure, language) if structure else (),
        assessed=_assessed_count(structure) if structure else None,
        measured=measurement_lines(structure, language) if structure else (),
    )


def _positives(structure: FindingStructure, language: PageLanguage) -> tuple[str, ...]:
    """What is present, the likeliest first."""
    found = [each for each in structure.findings if each.presence is Presence.PRESENT]
    found.sort(key=lambda each: -(each.probability or 0.0))
    return tuple(_positive(each, language) for each in found)


def _positive(finding: Finding, language: PageLanguage) -> str:
    side = words(language)[f"side_{finding.side.value}"] if finding.side else ""
    gap = " " if side and language == "en" else ""
    chance = "" if finding.probability is None else f" {finding.probability:.0%}"
    return f"{side}{gap}{finding_name(finding.finding, language)}{chance}"


def _assessed_count(structure: FindingStructure) -> int:
    return sum(each.presence is not Presence.NOT_ASSESSED for each in structure.findings)


def _patient_facts(study: StudyRow) -> str:
    return " · ".join(
        part for part in (study.patient_sex, date_text(study.patient_birth_date)) if part
    )


def _images(study: StudyRow) -> str:
    if study.expected_count is None:
        return str(study.instance_count)
    return f"{study.instance_count} / {study.expected_count}"


def _timing(
    study: StudyRow, version: VersionRow, now: datetime, language: PageLanguage
) -> tuple[str, bool]:
    """How long the version has waited, or how long it took from complete to its end."""
    since = version.complete_at or study.last_at
    until = version.confirmed_at or version.returned_at or version.drafted_at
    if version.state in ENDED or until is not None:
        return (f"{words(language)['took']} {span(until - since)}" if until else "", False)
    return f"{words(language)['waiting']} {span(now - since)}", True


def span(length: timedelta) -> str:
    """A length of time as people say it: 0.8 s, 42 s, 3 min, 2 h."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


def moment(at: datetime, now: datetime) -> str:
    """A time in the zone of this machine; the day only where it is not today."""
    local, today = at.astimezone(), now.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == today.date() else "%m-%d %H:%M")


def date_text(value: str) -> str:
    """A DICOM date with hyphens; anything else as it is."""
    if len(value) == 8 and value.isdecimal():
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return value


def key_token(key: PageKey) -> str:
    """Where the next page starts, fit for a query string."""
    return f"{int(key.rank_at.timestamp() * 1_000_000)}_{key.study_uid}"
