"""The one draft of each study version: whoever writes first is what everyone reads."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from radgen.domain.report import DraftReport
from radgen.ledger.database import insert_once
from radgen.ledger.rows import DraftRow
from radgen.ledger.tables import draft
from radgen.records import from_json, to_json


def record(
    connection: sa.Connection,
    report: DraftReport,
    engine: str,
    sr_uids: Sequence[str],
    at: datetime,
) -> DraftRow:
    """Writes the draft unless there is one, and returns the one that is there."""
    text = to_json(report)
    connection.execute(
        insert_once(connection, draft),
        {
            "study_uid": report.study_uid,
            "version": report.version,
            "report_json": text,
            "digest": hashlib.sha256(text.encode()).hexdigest(),
            "sr_uids": list(sr_uids),
            "engine": engine,
            "recorded_at": at,
        },
    )
    return _draft_row(connection.execute(_one(report.study_uid, report.version)).mappings().one())


def find(connection: sa.Connection, study_uid: str, number: int) -> DraftRow | None:
    """The draft of a study version, None where there is none."""
    row = connection.execute(_one(study_uid, number)).mappings().one_or_none()
    return None if row is None else _draft_row(row)


def of_study(connection: sa.Connection, study_uid: str) -> tuple[DraftRow, ...]:
    """Every draft of a study, newest version first."""
    found = connection.execute(
        sa.select(draft).where(draft.c.study_uid == study_uid).order_by(draft.c.version.desc())
    )
    return tuple(_draft_row(row) for row in found.mappings())


def of_versions(
    connection: sa.Connection, keys: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], DraftReport]:
    """The drafts of many study versions; those without one are left out."""
    wanted = set(keys)
    found = connection.execute(
        sa.select(draft.c.study_uid, draft.c.version, draft.c.report_json).where(
            draft.c.study_uid.in_([study_uid for study_uid, _ in keys])
        )
    )
    return {
        (row.study_uid, row.version): from_json(DraftReport, row.report_json)
        for row in found
        if (row.study_uid, row.version) in wanted
    }


def name_srs(connection: sa.Connection, study_uid: str, number: int, uids: Sequence[str]) -> bool:
    """Notes the UIDs of the SRs built from a draft."""
    changed = connection.execute(
        sa.update(draft)
        .where(draft.c.study_uid == study_uid, draft.c.version == number)
        .values(sr_uids=list(uids))
    )
    return changed.rowcount == 1


def _one(study_uid: str, number: int) -> sa.Select[tuple[object, ...]]:
    return sa.select(draft).where(draft.c.study_uid == study_uid, draft.c.version == number)


def _draft_row(row: sa.RowMapping) -> DraftRow:
    return DraftRow(
        report=from_json(DraftReport, row["report_json"]),
        digest=row["digest"],
        sr_uids=tuple(row["sr_uids"]),
        engine=row["engine"],
        recorded_at=row["recorded_at"],
    )
