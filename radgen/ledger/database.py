"""One database by URL: SQLite by default, PostgreSQL for several nodes, same code above.

SQLite runs with the rollback journal, never WAL: the SQLite of many Python builds is older than
3.51.3, and up to there two connections in WAL mode can corrupt the file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from radgen.domain.errors import ConfigurationError, StoreError

_WRITES = "radgen_writes"
_MIGRATION_LOCK = 7_421_001


def open_engine(url: str) -> sa.Engine:
    """Prepares connections to `url`; nothing is opened yet.

    url: `sqlite:////folder/ledger.sqlite` (the file is made, readable by its owner alone) or
        `postgresql://...`.
    Raises: ConfigurationError for any other kind of URL.
    """
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise ConfigurationError("ledger: not a database URL") from error
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        return _open_sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    raise ConfigurationError("ledger: the URL must be sqlite:///FILE or postgresql://...")


def _open_sqlite(url: sa.URL) -> sa.Engine:
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"ledger: cannot open its file: {error.strerror}") from error
    engine = sa.create_engine(url.set(drivername="sqlite+pysqlite"), hide_parameters=True)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: SqliteConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode.lower() == "wal":
        raise StoreError("ledger: the file is in WAL mode, which this engine refuses")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes the lock at once: an upgrade in mid-transaction fails without waiting.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that may write: committed at the end, rolled back on any error.

    Raises: StoreError where the database refuses; its message holds no value of any row.
    """
    try:
        with engine.execution_options(**{_WRITES: True}).begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(f"ledger: {type(error).__name__}") from error


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that only reads, and sees one moment.

    Raises: StoreError where the database refuses.
    """
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(f"ledger: {type(error).__name__}") from error


def insert_once(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that leaves a row alone which is there already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def migrate(engine: sa.Engine) -> None:
    """Brings the schema to the newest step; any number of processes may call it at once.

    Raises: StoreError where the database refuses, or a newer program has been at it.
    """
    config = Config()
    config.set_main_option("script_location", "radgen.ledger:migrations")
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError("ledger: its schema is newer than this program") from error
