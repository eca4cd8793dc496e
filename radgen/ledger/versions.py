"""Moves of study versions: one conditional UPDATE each, so that of two movers one wins."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from radgen.domain.study import NEXT, VersionState
from radgen.ledger import timeline
from radgen.ledger.rows import ArrivalKind, Priority, ReceivingStudy, VersionFields, VersionRow
from radgen.ledger.tables import instance, study, version, version_instance
from radgen.ledger.text import plain

_STAMP = {
    VersionState.COMPLETE: "complete_at",
    VersionState.DRAFTING: "started_at",
    VersionState.DRAFTED: "drafted_at",
    VersionState.RETURNED: "returned_at",
    VersionState.CONFIRMED: "confirmed_at",
}
_TEXT_LIMIT = 500


def receiving(connection: sa.Connection) -> list[ReceivingStudy]:
    """Studies whose current version still receives, longest silent first."""
    found = connection.execute(
        sa.select(
            study.c.study_uid,
            study.c.version,
            study.c.modality,
            study.c.instance_count,
            version.c.opened_at.label("first_at"),
            study.c.last_at,
            study.c.association_ended_at,
            study.c.expected_count,
            study.c.expected_at,
            study.c.calling_ae,
            study.c.priority,
        )
        .join_from(study, version, _current())
        .where(study.c.state == VersionState.RECEIVING.value)
        .order_by(study.c.last_at, study.c.study_uid)
    )
    return [
        ReceivingStudy(**{**row, "priority": Priority(row["priority"])}) for row in found.mappings()
    ]


def _current() -> sa.ColumnElement[bool]:
    return sa.and_(version.c.study_uid == study.c.study_uid, version.c.version == study.c.version)


def complete(
    connection: sa.Connection,
    key: tuple[str, int],
    verdict: tuple[str, int | None],
    seen_count: int | None,
    at: datetime,
) -> bool:
    """Closes a receiving version and freezes the list of its images.

    verdict: (reason, missing). seen_count: see `Ledger.complete`.
    """
    count = connection.execute(
        sa.select(study.c.instance_count).where(study.c.study_uid == key[0]).with_for_update()
    ).scalar_one_or_none()
    if seen_count is not None and count != seen_count:
        return False
    reason, missing = plain(verdict[0], _TEXT_LIMIT), verdict[1]
    values: dict[str, object] = {"complete_reason": reason, "missing": missing}
    won = _change(connection, key, (VersionState.RECEIVING,), VersionState.COMPLETE, values, at)
    if won:
        images = sa.select(instance.c.study_uid, sa.literal(key[1]), instance.c.sop_uid).where(
            instance.c.study_uid == key[0],
            instance.c.kind == ArrivalKind.STORED.value,
            instance.c.is_image,
        )
        names = ["study_uid", "version", "sop_uid"]
        connection.execute(sa.insert(version_instance).from_select(names, images))
        timeline.append(connection, at, key, "complete", {"reason": reason, "missing": missing})
    return won


def move(
    connection: sa.Connection,
    key: tuple[str, int],
    from_states: Iterable[VersionState],
    to_state: VersionState,
    fields: VersionFields,
    at: datetime,
) -> bool:
    """Moves a version on if it stands in one of `from_states`; see `Ledger.move`."""
    sources = tuple(from_states)
    for source in sources:
        if to_state not in NEXT[source] or source is VersionState.RECEIVING:
            raise ValueError(f"a version never moves from {source} to {to_state}")
    values: dict[str, object] = dict(fields)
    if "failure" in fields:
        values["failure"] = plain(fields["failure"], _TEXT_LIMIT)
    elif to_state is VersionState.COMPLETE:
        values["failure"] = None
    if to_state is VersionState.DRAFTING:
        values["attempts"] = version.c.attempts + 1
    won = _change(connection, key, sources, to_state, values, at)
    if won:
        detail = {name: value for name, value in fields.items() if value is not None}
        timeline.append(connection, at, key, to_state.value, detail)
    return won


def _change(
    connection: sa.Connection,
    key: tuple[str, int],
    from_states: tuple[VersionState, ...],
    to_state: VersionState,
    values: dict[str, object],
    at: datetime,
) -> bool:
    # Every writer locks the study first, so that PostgreSQL cannot deadlock, and so that no image
    # slips in between "nothing more came" and the frozen list.
    connection.execute(
        sa.select(study.c.study_uid).where(study.c.study_uid == key[0]).with_for_update()
    )
    if to_state in _STAMP:
        values = {**values, _STAMP[to_state]: at}
    changed = connection.execute(
        sa.update(version)
        .where(
            version.c.study_uid == key[0],
            version.c.version == key[1],
            version.c.state.in_([state.value for state in from_states]),
        )
        .values(state=to_state.value, **values)
    )
    if changed.rowcount != 1:
        return False
    connection.execute(
        sa.update(study)
        .where(study.c.study_uid == key[0], study.c.version == key[1])
        .values(state=to_state.value)
    )
    return True


def of_study(connection: sa.Connection, study_uid: str) -> tuple[VersionRow, ...]:
    """Every version of a study, newest first."""
    found = connection.execute(
        sa.select(version)
        .where(version.c.study_uid == study_uid)
        .order_by(version.c.version.desc())
    )
    return tuple(version_row(row) for row in found.mappings())


def in_states(
    connection: sa.Connection, states: Iterable[VersionState], limit: int
) -> tuple[VersionRow, ...]:
    """Versions that stand in one of `states`, oldest first."""
    found = connection.execute(
        sa.select(version)
        .where(version.c.state.in_([state.value for state in states]))
        .order_by(version.c.opened_at, version.c.study_uid, version.c.version)
        .limit(limit)
    )
    return tuple(version_row(row) for row in found.mappings())


def version_row(row: sa.RowMapping) -> VersionRow:
    """A row of the table as a value."""
    return VersionRow(**{**row, "state": VersionState(row["state"])})
