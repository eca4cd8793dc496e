"""The first schema: studies, versions, drafts, what was sent, and an append-only timeline."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_UID = sa.String(64)
_WORD = sa.String(64)
_TIME = sa.DateTime(timezone=True)
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STORED = sa.text("kind = 'stored'")

_SQLITE_GUARD = """
CREATE TRIGGER timeline_no_{verb} BEFORE {verb} ON timeline
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END
"""
_POSTGRESQL_GUARD = (
    """
    CREATE FUNCTION timeline_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the timeline is append-only'; END $$
    """,
    """
    CREATE TRIGGER timeline_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON timeline
    FOR EACH STATEMENT EXECUTE FUNCTION timeline_guard()
    """,
)


def upgrade() -> None:
    """Creates every table, the journal's single row and the guard of the timeline."""
    _create_study()
    _create_instance()
    _create_version()
    _create_draft()
    _create_returns()
    _create_events()
    op.execute("INSERT INTO journal (id, position) VALUES (1, NULL)")
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_SQLITE_GUARD.format(verb=verb))
    else:
        for statement in _POSTGRESQL_GUARD:
            op.execute(statement)


def _create_study() -> None:
    op.create_table(
        "study",
        sa.Column("study_uid", _UID, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("rank_at", _TIME, nullable=False),
        sa.Column("first_at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("association_ended_at", _TIME),
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
        sa.Column("expected_at", _TIME),
        sa.Column("calling_ae", _WORD, nullable=False),
    )
    op.create_index("study_by_rank", "study", ["rank_at", "study_uid"])
    op.create_index("study_by_state", "study", ["state", "rank_at", "study_uid"])
    op.create_index("study_by_modality", "study", ["modality", "rank_at", "study_uid"])
    op.create_index(
        "study_by_modality_state", "study", ["modality", "state", "rank_at", "study_uid"]
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Text),
    )


def _create_instance() -> None:
    op.create_table(
        "instance",
        sa.Column("study_uid", _UID, primary_key=True),
        sa.Column("sop_uid", _UID, primary_key=True),
        sa.Column("kind", _WORD, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("series_uid", _UID, nullable=False),
        sa.Column("sop_class_uid", _UID, nullable=False),
        sa.Column("transfer_syntax_uid", _UID, nullable=False),
        sa.Column("modality", _WORD, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("calling_ae", _WORD, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("is_image", sa.Boolean, nullable=False),
    )
    op.create_index(
        "instance_stored_once",
        "instance",
        ["study_uid", "sop_uid"],
        unique=True,
        sqlite_where=_STORED,
        postgresql_where=_STORED,
    )
    op.create_index("instance_by_sop", "instance", ["sop_uid"])


def _create_version() -> None:
    op.create_table(
        "version",
        sa.Column("study_uid", _UID, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("complete_reason", sa.Text),
        sa.Column("missing", sa.Integer),
        sa.Column("complete_at", _TIME),
        sa.Column("started_at", _TIME),
        sa.Column("drafted_at", _TIME),
        sa.Column("returned_at", _TIME),
        sa.Column("confirmed_at", _TIME),
        sa.Column("confirm_method", _WORD),
        sa.Column("failure", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("refusal", _WORD),
        sa.Column("pack", sa.Text),
        sa.Column("engine", _WORD),
    )
    op.create_index("version_by_state", "version", ["state", "opened_at"])
    op.create_table(
        "version_instance",
        sa.Column("study_uid", _UID, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sop_uid", _UID, primary_key=True),
    )


def _create_draft() -> None:
    op.create_table(
        "draft",
        sa.Column("study_uid", _UID, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("report_json", sa.Text, nullable=False),
        sa.Column("digest", _WORD, nullable=False),
        sa.Column("sr_uids", sa.JSON, nullable=False),
        sa.Column("engine", _WORD, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
    )


def _create_returns() -> None:
    op.create_table(
        "sent",
        sa.Column("sr_uid", _UID, primary_key=True),
        sa.Column("peer", sa.String(128), primary_key=True),
        sa.Column("study_uid", _UID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("sends", sa.Integer, nullable=False),
    )
    op.create_index("sent_by_version", "sent", ["study_uid", "version"])
    op.create_table(
        "commitment",
        sa.Column("transaction_uid", _UID, primary_key=True),
        sa.Column("study_uid", _UID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sr_uids", sa.JSON, nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("event", _WORD),
        sa.Column("at", _TIME),
    )
    op.create_index("commitment_by_version", "commitment", ["study_uid", "version"])


def _create_events() -> None:
    op.create_table(
        "timeline",
        sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("study_uid", _UID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event", _WORD, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("timeline_by_study", "timeline", ["study_uid", "id"])
    op.create_table(
        "quarantine",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("at", _TIME, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("calling_ae", _WORD, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
