"""What may be found, and where: findings.toml and sites.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from radgen.knowledge.tables import Code, find, read_table


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """One finding: its names, its code, and the whole statement of its absence.

    region: the negatives of one region share a sentence.
    site: row of sites.toml, where the finding lies when nothing closer is said.
    place: the Chinese word that carries a bare side (右`侧`, 右`肺`).
    modalities: values of Modality that can show it at all.
    critical: belongs to a class that must be told at once.
    """

    id: str
    zh: str
    en: str
    zh_synonyms: tuple[str, ...]
    en_synonyms: tuple[str, ...]
    code: Code
    region: str
    site: str
    place: str
    modalities: tuple[str, ...]
    critical: bool
    absent_zh: str
    absent_en: str


@dataclass(frozen=True, slots=True)
class SiteEntry:
    """One place; `zh` holds `{side}` where the side is spoken, synonyms hold the place alone."""

    id: str
    zh: str
    en: str
    code: Code
    zh_synonyms: tuple[str, ...] = ()
    en_synonyms: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def entries() -> Mapping[str, FindingEntry]:
    """All findings by id, in the order of the table."""
    return read_table("findings", FindingEntry)


@lru_cache(maxsize=1)
def sites() -> Mapping[str, SiteEntry]:
    """All places by id."""
    return read_table("sites", SiteEntry)


def entry(id_: str) -> FindingEntry:
    """The finding with this id.

    Raises: UnknownTermError if there is none.
    """
    return find(entries(), "finding", id_)


def site(id_: str) -> SiteEntry:
    """The place with this id.

    Raises: UnknownTermError if there is none.
    """
    return find(sites(), "site", id_)


@lru_cache(maxsize=1)
def synonyms() -> Mapping[str, str]:
    """Every name in either language, case-folded, to the id of its finding."""
    return MappingProxyType(
        {
            word.casefold(): each.id
            for each in entries().values()
            for word in (each.zh, each.en, *each.zh_synonyms, *each.en_synonyms)
        }
    )
