"""How modalities and body parts are named and coded: procedures.toml and bodyparts.toml.

Any value of Modality or Body Part Examined can arrive, so an unknown one is None, not an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from radgen.knowledge.tables import Code, read_table


@dataclass(frozen=True, slots=True)
class ProcedureEntry:
    """One modality: names, procedure (CID 100), device type (CID 29)."""

    id: str
    zh: str
    en: str
    procedure: Code
    device: Code


@dataclass(frozen=True, slots=True)
class BodyPartEntry:
    """One body part."""

    id: str
    zh: str
    en: str
    code: Code


@lru_cache(maxsize=1)
def entries() -> Mapping[str, ProcedureEntry]:
    """All modalities by the value of Modality."""
    return read_table("procedures", ProcedureEntry)


@lru_cache(maxsize=1)
def body_parts() -> Mapping[str, BodyPartEntry]:
    """All body parts by the value of Body Part Examined."""
    return read_table("bodyparts", BodyPartEntry)


def procedure(modality: str) -> ProcedureEntry | None:
    """The row of this modality, None where there is none."""
    return entries().get(modality)


def body_part(value: str) -> BodyPartEntry | None:
    """The row of this body part, None where there is none."""
    return body_parts().get(value.upper())
