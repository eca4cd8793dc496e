"""One site's configuration, section by section, as the subcommands need it."""

import os
import socket
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from models.pack import PACKS
from radgen.config import load_section
from radgen.domain.errors import ConfigurationError

T = TypeVar("T")
DEFAULT_FILE = Path("radgen.toml")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where received images lie; the same folder as the listener's `store`."""

    folder: Path = Path("var/store")


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the ledger is kept: `sqlite:///FILE`, or `postgresql://...` for several nodes."""

    url: str = "sqlite:///var/radgen.sqlite"

    @property
    def workflow_url(self) -> str:
        """The workflows: a file beside the ledger's, or the same PostgreSQL in its own schema."""
        if self.url.startswith("sqlite"):
            return f"{self.url.removesuffix('.sqlite')}-workflow.sqlite"
        return self.url

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for a server."""
        if not self.url.startswith("sqlite:///"):
            return None
        return Path(self.url.removeprefix("sqlite:///")).resolve()

    @property
    def lock_folder(self) -> Path | None:
        """Folder of the SQLite file, None for a server."""
        return self.file.parent if self.file else None


@dataclass(frozen=True, slots=True)
class Site:
    """The configuration file, where there is one; every section has defaults without it."""

    file: Path | None = None
    store: StoreSettings = field(default_factory=StoreSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)

    def section(self, name: str, type_: type[T]) -> T:
        """One section as its dataclass. Raises: ConfigurationError naming the fault."""
        return load_section(self.file, name, type_, _defaults(name))


def _defaults(name: str) -> dict[str, Any]:
    """What this machine and installation say where the file is silent."""
    if name == "report":
        host = uuid.uuid5(uuid.NAMESPACE_DNS, socket.gethostname())
        return {"device_uid": f"2.25.{host.int}"}
    if name == "engine":
        return {"pack_folder": PACKS / "cxr-adult"}
    return {"name": "pacs"} if name == "pacs" else {}


def open_site(file: Path | None) -> Site:
    """The site of `file`, of RADGEN_CONFIG, or of ./radgen.toml, whichever is there first.

    Raises: ConfigurationError if a named file is not there, or a section cannot be read.
    """
    named = file or (Path(os.environ["RADGEN_CONFIG"]) if "RADGEN_CONFIG" in os.environ else None)
    if named is not None and not named.is_file():
        raise ConfigurationError(f"no configuration file {named}")
    path = named or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    return Site(
        path,
        load_section(path, "store", StoreSettings),
        load_section(path, "database", DatabaseSettings),
    )
