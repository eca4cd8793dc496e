"""What was sent to which peer, and what the peer promised."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from radgen.ledger.database import insert_once
from radgen.ledger.rows import CommitmentRow, SentRow
from radgen.ledger.tables import commitment, sent


def record_sent(
    connection: sa.Connection,
    key: tuple[str, int],
    target: tuple[str, str],
    status: str,
    at: datetime,
) -> None:
    """Notes the answer of a peer to one SR; target: (SR UID, peer). A repeat counts up."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(
        dialect.insert(sent)
        .values(
            sr_uid=target[0],
            peer=target[1],
            study_uid=key[0],
            version=key[1],
            at=at,
            status=status,
            sends=1,
        )
        .on_conflict_do_update(
            index_elements=["sr_uid", "peer"],
            set_={"at": at, "status": status, "sends": sent.c.sends + 1},
        )
    )


def sent_of(connection: sa.Connection, study_uid: str) -> tuple[SentRow, ...]:
    """What was sent of a study, newest first."""
    found = connection.execute(
        sa.select(sent)
        .where(sent.c.study_uid == study_uid)
        .order_by(sent.c.at.desc(), sent.c.sr_uid)
    )
    return tuple(SentRow(**row) for row in found.mappings())


def ask(
    connection: sa.Connection,
    transaction_uid: str,
    key: tuple[str, int],
    sr_uids: Sequence[str],
    at: datetime,
) -> None:
    """Notes that a commitment was asked for; asking twice with one UID is one question."""
    connection.execute(
        insert_once(connection, commitment),
        {
            "transaction_uid": transaction_uid,
            "study_uid": key[0],
            "version": key[1],
            "sr_uids": list(sr_uids),
            "asked_at": at,
        },
    )


def answer(connection: sa.Connection, transaction_uid: str, event: str, at: datetime) -> bool:
    """Notes the peer's answer; False for a question never asked or answered before."""
    changed = connection.execute(
        sa.update(commitment)
        .where(commitment.c.transaction_uid == transaction_uid, commitment.c.event.is_(None))
        .values(event=event, at=at)
    )
    return changed.rowcount == 1


def find(connection: sa.Connection, transaction_uid: str) -> CommitmentRow | None:
    """One commitment by its transaction UID."""
    row = (
        connection.execute(
            sa.select(commitment).where(commitment.c.transaction_uid == transaction_uid)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _commitment_row(row)


def commitments_of(connection: sa.Connection, study_uid: str) -> tuple[CommitmentRow, ...]:
    """Every commitment of a study, newest first."""
    found = connection.execute(
        sa.select(commitment)
        .where(commitment.c.study_uid == study_uid)
        .order_by(commitment.c.asked_at.desc())
    )
    return tuple(_commitment_row(row) for row in found.mappings())


def _commitment_row(row: sa.RowMapping) -> CommitmentRow:
    return CommitmentRow(**{**row, "sr_uids": tuple(row["sr_uids"])})
