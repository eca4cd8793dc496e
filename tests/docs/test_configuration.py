"""docs/configuration.md names every section and key with the default that the code has."""

import dataclasses
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import pytest

from dicom_listener.settings import ListenerSettings, PeerRule, TlsSettings
from radgen.cli import site
from radgen.cli.sections import SECTION_TYPES
from radgen.config import SECTIONS

DOCUMENT = "docs/configuration.md"
NESTED = {"listener.peers": PeerRule, "listener.tls": TlsSettings}
ALL = {"listener": ListenerSettings, **NESTED, **SECTION_TYPES}


def shown(value):
    """A default as one would write it in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, StrEnum | Path | str):
        return f'"{value}"'
    if isinstance(value, tuple | list | frozenset):
        return "[" + ", ".join(shown(one) for one in value) + "]"
    if isinstance(value, dict | MappingProxyType):
        return "{ " + ", ".join(f"{key} = {shown(one)}" for key, one in value.items()) + " }"
    return "none" if value is None else repr(value)


def default_of(section, field):
    if field.name in site._defaults(section):
        return "this machine's"
    if field.default is not dataclasses.MISSING:
        return f"`{shown(field.default)}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{shown(field.default_factory())}`"
    return "needed"


@pytest.mark.parametrize("section", ALL)
def test_each_section_is_documented_with_its_keys_and_defaults(section, hold):
    rows = [
        (f"`{field.name}`", default_of(section, field))
        for field in dataclasses.fields(ALL[section])
    ]
    hold(DOCUMENT, section, rows)


def test_no_section_is_documented_that_the_code_does_not_read(held_names):
    assert sorted(held_names(DOCUMENT)) == sorted(ALL)


def test_every_section_the_file_may_have_has_a_dataclass():
    assert {"listener", *SECTION_TYPES} == set(SECTIONS)
