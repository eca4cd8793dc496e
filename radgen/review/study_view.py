"""All that the page of one study says, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from radgen.domain.finding import ImageEvidence
from radgen.ledger.rows import (
    ArrivalKind,
    DraftRow,
    InstanceRow,
    StudyDetail,
    TimelineRow,
    VersionRow,
    WorklistRow,
)
from radgen.review.draft_view import (
    Region,
    TextView,
    caution_lines,
    measurement_lines,
    regions,
    shown_image,
    text_views,
)
from radgen.review.settings import PageLanguage
from radgen.review.views import ENDED, StudyLine, moment, study_line
from radgen.review.words import reason_text, words


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A series that was not read, and why."""

    series_uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline."""

    at: str
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class StudyPage:
    """What the page shows of the chosen version."""

    line: StudyLine
    version: VersionRow
    draft: DraftRow | None
    texts: tuple[TextView, ...]
    measurements: tuple[str, ...]
    cautions: tuple[str, ...]
    image: ImageEvidence | None
    regions: tuple[Region, ...]
    chosen: int | None
    left_out: tuple[LeftOut, ...]
    conflicts: tuple[InstanceRow, ...]
    timeline: tuple[Event, ...]
    is_moving: bool


def study_page(
    detail: StudyDetail,
    number: int | None,
    finding: int | None,
    now: datetime,
    language: PageLanguage,
) -> StudyPage:
    """The page of version `number`; of the newest one with a draft where None or unknown."""
    version = _choose(detail, number)
    draft = next((d for d in detail.drafts if d.report.version == version.version), None)
    structure = draft.report.structure if draft else None
    image = shown_image(structure, finding) if structure else None
    return StudyPage(
        line=study_line(WorklistRow(detail.study, version), now, language),
        version=version,
        draft=draft,
        texts=text_views(draft.report) if draft else (),
        measurements=measurement_lines(structure, language) if structure else (),
        cautions=caution_lines(structure, language) if structure else (),
        image=image,
        regions=regions(structure, image.sop_instance_uid, language) if structure and image else (),
        chosen=finding,
        left_out=_left_out(detail.timeline, version.version, language),
        conflicts=tuple(row for row in detail.instances if row.kind is ArrivalKind.CONFLICT),
        timeline=tuple(_event(row, now, language) for row in detail.timeline),
        is_moving=detail.versions[0].state not in ENDED,
    )


def _choose(detail: StudyDetail, number: int | None) -> VersionRow:
    drafted = {draft.report.version for draft in detail.drafts}
    by_number = {row.version: row for row in detail.versions}
    if number in by_number:
        return by_number[number]
    return next((row for row in detail.versions if row.version in drafted), detail.versions[0])


def _left_out(
    timeline: Sequence[TimelineRow], version: int, language: PageLanguage
) -> tuple[LeftOut, ...]:
    """What the newest reading of this version left aside; the event is `read`."""
    for row in reversed(timeline):
        listed = row.detail.get("left_out")
        if row.version == version and row.event == "read" and isinstance(listed, list):
            return tuple(
                LeftOut(str(each[0]), reason_text(str(each[1]), language))
                for each in listed
                if isinstance(each, list) and len(each) == 2
            )
    return ()


def _event(row: TimelineRow, now: datetime, language: PageLanguage) -> Event:
    known = words(language).get(f"state_{row.event}", row.event)
    shown = {name: value for name, value in row.detail.items() if isinstance(value, str | int)}
    detail = " · ".join(f"{name}: {value}" for name, value in shown.items())
    return Event(moment(row.at, now), row.version, f"{known}  {detail}" if detail else known)
