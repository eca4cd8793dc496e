"""Events that are only ever appended, and files that were set aside."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from radgen.ledger.database import insert_once
from radgen.ledger.rows import QuarantineRow, TimelineRow
from radgen.ledger.tables import quarantine, timeline
from radgen.ledger.text import plain


def append(
    connection: sa.Connection,
    at: datetime,
    key: tuple[str, int],
    event: str,
    detail: Mapping[str, object],
) -> None:
    """Adds one event to the study version `key`; detail holds plain JSON without identity."""
    connection.execute(
        sa.insert(timeline).values(
            at=at,
            study_uid=key[0],
            version=key[1],
            event=plain(event, 64),
            detail=dict(detail),
        )
    )


def of_study(connection: sa.Connection, study_uid: str) -> tuple[TimelineRow, ...]:
    """Every event of a study, oldest first."""
    found = connection.execute(
        sa.select(timeline).where(timeline.c.study_uid == study_uid).order_by(timeline.c.id)
    )
    return tuple(TimelineRow(**row) for row in found.mappings())


def set_aside(connection: sa.Connection, rows: Sequence[QuarantineRow]) -> None:
    """Records files in quarantine; the same file at the same time is one event."""
    if not rows:
        return
    connection.execute(
        insert_once(connection, quarantine),
        [
            {
                "path": row.path,
                "at": row.at,
                "reason": plain(row.reason, 500),
                "calling_ae": plain(row.calling_ae, 64),
                "size": row.size,
            }
            for row in rows
        ],
    )


def in_quarantine(connection: sa.Connection, limit: int) -> tuple[QuarantineRow, ...]:
    """The newest files in quarantine."""
    found = connection.execute(
        sa.select(quarantine).order_by(quarantine.c.at.desc(), quarantine.c.path).limit(limit)
    )
    return tuple(QuarantineRow(**row) for row in found.mappings())
