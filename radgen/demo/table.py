"""The table at the end of a demonstration."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rich.table import Table

from radgen.demo.check import ReadBack
from radgen.demo.phantom import PhantomStudy
from radgen.domain.finding import Finding, FindingStructure, Presence
from radgen.knowledge import findings, reasons
from radgen.ledger.rows import StudyDetail, VersionRow


class Row(Protocol):
    """One study at the end."""

    @property
    def study(self) -> PhantomStudy:
        """What was pushed."""

    @property
    def detail(self) -> StudyDetail | None:
        """What the ledger knows."""

    @property
    def back(self) -> ReadBack | None:
        """What the archive gave back."""


COLUMNS = (
    "study",
    "modality",
    "body part",
    "complete after",
    "draft after",
    "SR UID",
    "found",
    "not assessed",
)


def study_table(rows: Sequence[Row]) -> Table:
    """A line for each study. Times count from its first image."""
    table = Table(*COLUMNS, title="AI DRAFTS - NOT REVIEWED", show_lines=False)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    detail = row.detail
    if detail is None or not detail.drafts:
        reason = detail.versions[0].failure if detail else "never arrived"
        return (row.study.name, "", "", "", "", "", f"[red]{reason or 'no draft'}", "")
    version, draft = detail.versions[0], detail.drafts[0]
    structure = draft.report.structure
    uid = draft.sr_uids[0] if draft.sr_uids else ""
    return (
        row.study.name,
        structure.modality,
        structure.body_part,
        _after(detail.study.first_at, version.complete_at),
        _after(detail.study.first_at, version.drafted_at),
        f"{uid[:9]}...{uid[-8:]}",
        _found(structure),
        _not_assessed(structure, version),
    )


def _after(first: datetime, moment: datetime | None) -> str:
    return f"{(moment - first).total_seconds():.1f} s" if moment else ""


def _found(structure: FindingStructure) -> str:
    present = [each for each in structure.findings if each.presence is Presence.PRESENT]
    absent = sum(each.presence is Presence.ABSENT for each in structure.findings)
    words = [_word(each) for each in present]
    words += [f"{each.quantity} {each.value:g} {each.unit}" for each in structure.measurements[:3]]
    if absent:
        words.append(f"{absent} absent")
    return ", ".join(words) or "-"


def _word(finding: Finding) -> str:
    name = findings.entry(finding.finding).en
    return f"{finding.side} {name}" if finding.side else name


def _not_assessed(structure: FindingStructure, version: VersionRow) -> str:
    if structure.refusal:
        return f"everything: {reasons.entry(structure.refusal).en}"
    names = [e.finding for e in structure.findings if e.presence is Presence.NOT_ASSESSED]
    partial = f"; {version.missing} images missing" if version.missing else ""
    return f"{len(names)} findings{partial}" if names else f"-{partial}"
