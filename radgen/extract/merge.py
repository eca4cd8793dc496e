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
    kept: list[Statement] = []
    for statement in sorted(statements, key=_by_detail):
        twin = next((each for each in kept if _same(each, statement)), None)
        if twin is None:
            kept.append(statement)
        else:
            kept[kept.index(twin)] = _merged(twin, statement)
    kept = [each for each in kept if not _is_overruled(each, kept)]
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


def _merged(one: Statement, other: Statement) -> Statement:
    sizes = [each for each in (one.size_mm, other.size_mm) if each is not None]
    return replace(
        one,
        certainty=_certainty(one, other),
        size_mm=max(sizes, default=None),
        span=min(one.span, other.span),
    )


def _certainty(one: Statement, other: Statement) -> Certainty | None:
    concluded = [each for each in (one, other) if each.section is Heading.IMPRESSION]
    if len(concluded) == 1:
        return concluded[0].certainty
    return min(one.certainty, other.certainty, key=lambda each: _STRENGTH[each])


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
