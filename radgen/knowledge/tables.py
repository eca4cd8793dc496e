"""Reads the tables beside this file: one TOML file, one list of frozen rows."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Protocol, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from radgen.domain.errors import ConfigurationError, UnknownTermError


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: Code Value, Coding Scheme Designator, Code Meaning (case matters)."""

    value: str
    scheme: str
    meaning: str


class Row(Protocol):
    """What every row has."""

    @property
    def id(self) -> str:
        """The word the finding structure uses."""
        ...


R = TypeVar("R", bound=Row)


def read_table(name: str, row: type[R]) -> Mapping[str, R]:
    """Reads `name`.toml, in file order, by id.

    Raises: ConfigurationError if a row lacks a key, has an unknown one, or repeats an id.
    """
    text = resources.files("radgen.knowledge").joinpath(f"{name}.toml").read_text("utf-8")
    adapter = TypeAdapter(tuple[row, ...], config=ConfigDict(extra="forbid"))  # type: ignore[valid-type]
    try:
        rows: tuple[R, ...] = adapter.validate_python(tomllib.loads(text)["entry"])
    except ValidationError as error:
        raise ConfigurationError(f"{name}.toml: {error}") from error
    table = {each.id: each for each in rows}
    if len(table) != len(rows):
        raise ConfigurationError(f"{name}.toml: an id occurs twice")
    return MappingProxyType(table)


def find(table: Mapping[str, R], kind: str, id_: str) -> R:
    """The row with this id.

    Raises: UnknownTermError if there is none.
    """
    row = table.get(id_)
    if row is None:
        raise UnknownTermError(f"no such {kind}: {id_!r}")
    return row
