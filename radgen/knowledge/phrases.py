"""How a report speaks of findings: cues of negation, certainty, change, side: phrases.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from radgen.knowledge.tables import read_table


@dataclass(frozen=True, slots=True)
class PhraseEntry:
    """One meaning and every way to say it.

    kind: what the words do in a sentence; the head of phrases.toml lists the kinds.
    value: what they stand for (a certainty, a side, a change, a heading ...).
    place: row of sites.toml that a word of a side names as well ("RUL").
    of: for a predicate, subject -> finding; "" where the pair is no finding of ours.
    alone: for a predicate, the finding meant where no subject is named.
    """

    id: str
    kind: str
    value: str = ""
    place: str = ""
    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    of: Mapping[str, str] = field(default_factory=dict)
    alone: str = ""


@lru_cache(maxsize=1)
def entries() -> Mapping[str, PhraseEntry]:
    """All phrases by id."""
    return read_table("phrases", PhraseEntry)
