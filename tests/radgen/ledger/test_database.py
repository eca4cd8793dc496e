"""The database underneath: what is refused, what is durable, what several openers see."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from radgen.domain.errors import ConfigurationError, StoreError
from radgen.ledger.database import open_engine, writing
from radgen.ledger.ledger import Ledger
from radgen.ledger.tables import metadata


def test_the_migrated_schema_is_the_one_the_code_reads(ledger, engine):
    ledger.check()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, metadata)
    assert differences == []


def test_many_may_migrate_at_once(url):
    ledgers = [Ledger(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Ledger.migrate, ledgers))
    assert ledgers[0].journal_position() is None
    for ledger in ledgers:
        ledger.close()


def test_a_ledger_without_schema_does_not_pass_the_check(url):
    ledger = Ledger(url)
    with pytest.raises(StoreError):
        ledger.check()
    ledger.close()


@pytest.mark.usefixtures("ledger")
def test_an_error_of_the_database_names_no_value(url):
    engine = open_engine(url)
    with pytest.raises(StoreError) as caught, writing(engine) as connection:
        connection.execute(
            sa.text("INSERT INTO study (study_uid, patient_name) VALUES ('1', :name)"),
            {"name": "Zhang^San"},
        )
    assert "Zhang" not in str(caught.value)
    engine.dispose()


@pytest.mark.parametrize("url", ["mysql://host/x", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_another_kind_of_database_is_refused(url):
    with pytest.raises(ConfigurationError):
        Ledger(url)


def test_a_file_in_wal_mode_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    ledger = Ledger(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="WAL"):
        ledger.migrate()
    ledger.close()


def test_sqlite_flushes_every_commit_and_waits_for_the_lock(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    with engine.begin() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        ]
    engine.dispose()
    assert found == ["delete", 2, 30000]


def test_the_file_is_readable_by_its_owner_alone(tmp_path):
    path = tmp_path / "folder" / "ledger.sqlite"
    Ledger(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_made_is_an_error_of_ours():
    with pytest.raises(StoreError, match="cannot open"):
        Ledger("sqlite:////dev/null/ledger.sqlite")


def test_a_schema_of_a_newer_program_is_refused(ledger, engine):
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer"):
        ledger.migrate()
