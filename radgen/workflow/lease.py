"""One live process for one node name.

Two processes under one name would both recover the same workflows. On one host a locked file keeps
them apart, with PostgreSQL an advisory lock of a session: the kernel or the server frees either
when
the process dies, however it dies.
"""

import fcntl
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg

from radgen.domain.errors import ConfigurationError, StoreError

_LOCK_SPACE = 7421


class Lease:
    """Holds the name `node` while it is open; a context manager."""

    def __init__(self, url: str, folder: Path | None, node: str) -> None:
        """url: of the database. folder: where the lock file goes, None with PostgreSQL."""
        self._url = url
        self._folder = folder
        self._node = node
        self._file: IO[str] | None = None
        self._session: psycopg.Connection | None = None

    def __enter__(self) -> Self:
        """Takes the name. Raises: ConfigurationError if another live process has it."""
        if self._folder is not None:
            self._lock_file(self._folder)
        else:
            self._lock_session()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the name back."""
        if self._file is not None:
            self._file.close()
        if self._session is not None:
            self._session.close()

    def keep(self) -> None:
        """Raises: StoreError if the name was lost: this process must end, another may have it."""
        if self._session is None:
            return
        try:
            self._session.execute("select 1")
        except psycopg.Error as error:
            raise StoreError(f"node {self._node} lost its lease") from error

    def _lock_file(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f"node-{zlib.crc32(self._node.encode()):08x}.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise _taken(self._node) from error
        self._file = file

    def _lock_session(self) -> None:
        try:
            self._session = psycopg.connect(self._url, autocommit=True)
            key = zlib.crc32(self._node.encode()) - 2**31
            row = self._session.execute(
                "select pg_try_advisory_lock(%s, %s)", (_LOCK_SPACE, key)
            ).fetchone()
        except psycopg.Error as error:
            raise StoreError("the database gives no lease") from error
        if row is None or not row[0]:
            self._session.close()
            raise _taken(self._node)


def _taken(node: str) -> ConfigurationError:
    return ConfigurationError(
        f"a worker named {node!r} runs already; give this one another [workflow] node"
    )
