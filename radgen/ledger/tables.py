"""The tables, as the code reads and writes them; `migrations` is what creates them.

Columns that identify a patient stand in `study` only and are marked PHI there. No other table may
hold a name, an identifier of a person or a date of birth; `failure`, `detail` and `reason` texts
are written by code that knows no identity.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from typing_extensions import override


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An instant, stored in UTC with microseconds; a time without zone is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone does not name an instant")
        return value.astimezone(UTC)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite gives back naive text, PostgreSQL the zone of the session.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()

_UID = sa.String(64)
_WORD = sa.String(64)
# SQLite counts rows up by itself only for a column called INTEGER.
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Text),
)

study = sa.Table(
    "study",
    metadata,
    sa.Column("study_uid", _UID, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", _WORD, nullable=False),  # state of the current version
    sa.Column("rank_at", UtcDateTime, nullable=False),  # place in the worklist, see worklist.py
    sa.Column("first_at", UtcDateTime, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("association_ended_at", UtcDateTime),
    sa.Column("modality", _WORD, nullable=False),
    sa.Column("body_part", _WORD, nullable=False),
    sa.Column("study_date", _WORD, nullable=False),
    sa.Column("accession", sa.Text, nullable=False),  # PHI
    sa.Column("patient_name", sa.Text, nullable=False),  # PHI
    sa.Column("patient_id", sa.Text, nullable=False),  # PHI
    sa.Column("patient_birth_date", _WORD, nullable=False),  # PHI
    sa.Column("patient_sex", _WORD, nullable=False),  # PHI
    sa.Column("priority", _WORD, nullable=False),
    sa.Column("instance_count", sa.Integer, nullable=False),  # stored images
    sa.Column("conflict_count", sa.Integer, nullable=False),
    sa.Column("expected_count", sa.Integer),
    sa.Column("expected_at", UtcDateTime),
    sa.Column("calling_ae", _WORD, nullable=False),
    sa.Index("study_by_rank", "rank_at", "study_uid"),
    sa.Index("study_by_state", "state", "rank_at", "study_uid"),
    sa.Index("study_by_modality", "modality", "rank_at", "study_uid"),
    sa.Index("study_by_modality_state", "modality", "state", "rank_at", "study_uid"),
)

instance = sa.Table(
    "instance",
    metadata,
    sa.Column("study_uid", _UID, primary_key=True),
    sa.Column("sop_uid", _UID, primary_key=True),
    sa.Column("kind", _WORD, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("series_uid", _UID, nullable=False),
    sa.Column("sop_class_uid", _UID, nullable=False),
    sa.Column("transfer_syntax_uid", _UID, nullable=False),
    sa.Column("modality", _WORD, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("calling_ae", _WORD, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("is_image", sa.Boolean, nullable=False),
    sa.Index(
        "instance_stored_once",
        "study_uid",
        "sop_uid",
        unique=True,
        sqlite_where=sa.text("kind = 'stored'"),
        postgresql_where=sa.text("kind = 'stored'"),
    ),
    sa.Index("instance_by_sop", "sop_uid"),
)

version = sa.Table(
    "version",
    metadata,
    sa.Column("study_uid", _UID, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", _WORD, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("complete_reason", sa.Text),
    sa.Column("missing", sa.Integer),
    sa.Column("complete_at", UtcDateTime),
    sa.Column("started_at", UtcDateTime),
    sa.Column("drafted_at", UtcDateTime),
    sa.Column("returned_at", UtcDateTime),
    sa.Column("confirmed_at", UtcDateTime),
    sa.Column("confirm_method", _WORD),
    sa.Column("failure", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("refusal", _WORD),
    sa.Column("pack", sa.Text),
    sa.Column("engine", _WORD),
    sa.Index("version_by_state", "state", "opened_at"),
)

version_instance = sa.Table(
    "version_instance",
    metadata,
    sa.Column("study_uid", _UID, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sop_uid", _UID, primary_key=True),
)

draft = sa.Table(
    "draft",
    metadata,
    sa.Column("study_uid", _UID, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("report_json", sa.Text, nullable=False),
    sa.Column("digest", _WORD, nullable=False),
    sa.Column("sr_uids", sa.JSON, nullable=False),
    sa.Column("engine", _WORD, nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
)

sent = sa.Table(
    "sent",
    metadata,
    sa.Column("sr_uid", _UID, primary_key=True),
    sa.Column("peer", sa.String(128), primary_key=True),
    sa.Column("study_uid", _UID, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("status", _WORD, nullable=False),
    sa.Column("sends", sa.Integer, nullable=False),
    sa.Index("sent_by_version", "study_uid", "version"),
)

commitment = sa.Table(
    "commitment",
    metadata,
    sa.Column("transaction_uid", _UID, primary_key=True),
    sa.Column("study_uid", _UID, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sr_uids", sa.JSON, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("event", _WORD),
    sa.Column("at", UtcDateTime),
    sa.Index("commitment_by_version", "study_uid", "version"),
)

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("study_uid", _UID, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event", _WORD, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("timeline_by_study", "study_uid", "id"),
    sqlite_autoincrement=True,
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("at", UtcDateTime, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("calling_ae", _WORD, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)
