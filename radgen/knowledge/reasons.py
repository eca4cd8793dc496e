"""Why something was not assessed, or what limits a draft: reasons.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from radgen.knowledge.tables import find, read_table


@dataclass(frozen=True, slots=True)
class ReasonEntry:
    """One reason as a clause without a final stop."""

    id: str
    zh: str
    en: str


@lru_cache(maxsize=1)
def entries() -> Mapping[str, ReasonEntry]:
    """All reasons by id."""
    return read_table("reasons", ReasonEntry)


def entry(id_: str) -> ReasonEntry:
    """The reason with this id.

    Raises: UnknownTermError if there is none.
    """
    return find(entries(), "reason", id_)
