"""Statements -> findings: what was said twice is one finding."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from radgen.domain.finding import Certainty, Finding, Presence, Source
from radgen.extract.statement import Heading, Statement

_STRENGTH = {each: rank for rank, each in enumerate((None, *Certainty))}


def to_findings(
    statements: Sequence[Statement], source: Source = Source.DECODER
) -> tuple[Finding, ...]:
    """The findings of a report, in the order of their first mention.

    A mention without a side or a site is the same finding as one that has it. What is said to be
    there stays, whatever a general denial says; the impression has the last word on certainty.
    """
    groups: list[list[Statement]] = []
    for statement in sorted(statements, key=_by_detail):
        group = next((each for each in groups if _same(each[0], statement)), None)
        if group is None:
            groups.append([statement])
        else:
            group.append(statement)
    merged = [_merged(group) for group in groups]
    kept = [each for each in merged if not _is_overruled(each, merged)]
    return tuple(_finding(each, source) for each in sorted(kept, key=lambda each: each.span))


def _by_detail(statement: Statement) -> tuple[int, tuple[int, int]]:
    details = (statement.side, statement.site)
    return (-sum(each is not None for each in details), statement.span)


def _same(one: Statement, other: Statement) -> bool:
    return (
        (one.finding, one.presence) == (other.finding, other.presence)
        and other.side in (None, one.side)
        and other.site in (None, one.site)
    )


def _merged(group: Sequence[Statement]) -> Statement:
    sizes = [each.size_mm for each in group if each.size_mm is not None]
    concluded = [each for each in group if each.section is Heading.IMPRESSION] or group
    return replace(
        group[0],
        certainty=min((each.certainty for each in concluded), key=lambda each: _STRENGTH[each]),
        size_mm=max(sizes, default=None),
        span=min(each.span for each in group),
    )


def _is_overruled(statement: Statement, others: Iterable[Statement]) -> bool:
    """A denial or a gap without a side says nothing of a side where the finding is there."""
    return statement.presence is not Presence.PRESENT and any(
        other.finding == statement.finding
        and other.presence is Presence.PRESENT
        and statement.side in (None, other.side)
        for other in others
    )


def _finding(statement: Statement, source: Source) -> Finding:
    return Finding(
        statement.finding,
        statement.presence,
        source,
        statement.certainty,
        statement.side,
        statement.site,
        statement.size_mm,
    )
