"""One TOML file, one section for each room; unknown keys are errors that name the key.

A section is a frozen dataclass beside the code that obeys it; this module only fills it.
`RADGEN_<SECTION>__<KEY>` in the environment overrides the file, so that secrets stay out of it.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from radgen.domain.errors import ConfigurationError

T = TypeVar("T")
NOTHING: Mapping[str, Any] = MappingProxyType({})
SECTIONS = (
    "listener",
    "store",
    "database",
    "completeness",
    "priority",
    "engine",
    "workflow",
    "report",
    "pacs",
    "review",
)
_STRICT = ConfigDict(extra="forbid")


def read_file(path: Path | None) -> dict[str, Any]:
    """The whole file as tables; nothing when there is no file.

    Raises: ConfigurationError if it cannot be read, is not TOML, or has a table nobody knows.
    """
    if path is None:
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    unknown = sorted(set(tables) - set(SECTIONS))
    if unknown:
        raise ConfigurationError(
            f"{path}: unknown section [{unknown[0]}]; known are {', '.join(SECTIONS)}"
        )
    return tables


def load_section(
    path: Path | None, name: str, type_: type[T], defaults: Mapping[str, Any] = NOTHING
) -> T:
    """Section `name` of the file as `type_` (a frozen dataclass), its defaults filling the rest.

    defaults: values of this site for keys that the file leaves out.
    Raises: ConfigurationError naming section, key and fault.
    """
    section = read_file(path).get(name, {})
    if not isinstance(section, dict):
        raise ConfigurationError(f"{path}: {name} must be a section: [{name}]")
    table = {**defaults, **section, **_from_environment(name, type_)}
    try:
        return _adapter(type_).validate_python(table)
    except ValidationError as error:
        raise ConfigurationError(_first_fault(name, error)) from error


def _adapter(type_: type[T]) -> TypeAdapter[T]:
    """A validator for a standard-library dataclass that refuses keys it does not have."""
    if not hasattr(type_, "__pydantic_config__"):
        type_.__pydantic_config__ = _STRICT  # type: ignore[attr-defined]  # pydantic's own hook
    return TypeAdapter(type_)


def _from_environment(name: str, type_: type) -> dict[str, Any]:
    prefix = f"RADGEN_{name.upper()}__"
    found = {
        key.removeprefix(prefix).lower(): value
        for key, value in os.environ.items()
        if key.startswith(prefix)
    }
    types = get_type_hints(type_)
    # A text stays one though it looks like a number: a serial number, an AE title.
    return {
        key: value if types.get(key) in (str, Path) else _parsed(value)
        for key, value in found.items()
    }


def _parsed(value: str) -> Any:  # noqa: ANN401 - JSON may hold any type; the adapter checks it
    """Numbers, booleans and lists as JSON; everything else is the text itself."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _first_fault(name: str, error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in (name, *fault["loc"]))
    if fault["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        return f"[{name}]: unknown key {fault['loc'][-1]!s} ({where})"
    return f"[{name}]: {where}: {fault['msg']}"
