"""Versions that wait for the next step, with what decides their lane."""

from collections.abc import Iterable

import sqlalchemy as sa

from radgen.domain.study import VersionState
from radgen.ledger.rows import Priority, ReadyVersion
from radgen.ledger.tables import study, version


def ready(
    connection: sa.Connection, states: Iterable[VersionState], limit: int
) -> list[ReadyVersion]:
    """Current versions that stand in one of `states`: STAT first, then the longest waiting."""
    stat_first = sa.case((study.c.priority == Priority.STAT.value, 0), else_=1)
    found = connection.execute(
        sa.select(
            version.c.study_uid,
            version.c.version,
            version.c.state,
            version.c.attempts,
            study.c.modality,
            study.c.priority,
        )
        .join_from(
            study,
            version,
            sa.and_(version.c.study_uid == study.c.study_uid, version.c.version == study.c.version),
        )
        .where(study.c.state.in_([state.value for state in states]))
        .order_by(stat_first, version.c.opened_at, version.c.study_uid)
        .limit(limit)
    )
    return [
        ReadyVersion(
            **{
                **row,
                "state": VersionState(row["state"]),
                "priority": Priority(row["priority"]),
            }
        )
        for row in found.mappings()
    ]
