"""Every word the extractor knows, by the way it begins; made from the tables of the knowledge."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from radgen.domain.report import Language
from radgen.extract.clean import clean, is_chinese
from radgen.knowledge import findings, phrases, quantities

_FIRST_WORD = re.compile(r"[a-z]+")
_INFLECTED = {"finding", "subject", "site", "predicate", "elsewhere"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase does in a sentence, see the head of phrases.toml.

    kind: a kind of phrases.toml, or "finding", "site", "quantity".
    row: the row behind it, for predicates.
    """

    kind: str
    value: str = ""
    place: str = ""
    row: phrases.PhraseEntry | None = None


Lexicon = Mapping[str, tuple[tuple[str, Meaning], ...]]


@lru_cache(maxsize=4)
def lexicon(language: Language | None) -> Lexicon:
    """First word (English) or first character (Chinese) -> phrases, the longest first.

    language: reads the words of this one alone; Chinese reports hold English words too, so only
        English narrows.
    """
    words: dict[str, Meaning] = {}
    for word, meaning in (*_table_words(), *_phrase_words()):
        if language is Language.EN and is_chinese(word[0]):
            continue
        for form in _forms(word, meaning.kind):
            words[form] = meaning
    by_key: dict[str, list[tuple[str, Meaning]]] = {}
    for form, meaning in words.items():
        by_key.setdefault(key_at(form, 0), []).append((form, meaning))
    return {
        key: tuple(sorted(each, key=lambda pair: -len(pair[0]))) for key, each in by_key.items()
    }


@lru_cache(maxsize=1)
def headings() -> Mapping[str, str]:
    """Heading words -> value of Heading."""
    rows = [row for row in phrases.entries().values() if row.kind == "heading"]
    return {clean(word).text: row.value for row in rows for word in (*row.zh, *row.en)}


@lru_cache(maxsize=1)
def longest_heading() -> int:
    """Characters of the longest heading."""
    return max(map(len, headings()))


def key_at(text: str, start: int) -> str:
    """What the phrases that may begin at text[start] are filed under."""
    word = _FIRST_WORD.match(text, start)
    return word.group() if word else text[start : start + 1]


def _table_words() -> Iterable[tuple[str, Meaning]]:
    for name, id_ in findings.synonyms().items():
        yield clean(name).text, Meaning("finding", id_)
    for site in findings.sites().values():
        chinese = site.zh.replace("{side}", "").removeprefix("侧")
        for name in (chinese, site.en, *site.zh_synonyms, *site.en_synonyms):
            yield clean(name).text, Meaning("site", site.id)
    for row in quantities.entries().values():
        for name in (row.zh, row.en):
            yield clean(name).text, Meaning("quantity", row.id)


def _phrase_words() -> Iterable[tuple[str, Meaning]]:
    for row in phrases.entries().values():
        if row.kind != "heading":
            for name in (*row.zh, *row.en):
                yield clean(name).text, Meaning(row.kind, row.value, row.place, row)


def _forms(word: str, kind: str) -> tuple[str, ...]:
    """The word and, for English nouns, its plural."""
    if kind not in _INFLECTED or not word.isascii():
        return (word,)
    if word.endswith("y"):
        return (word, f"{word[:-1]}ies", f"{word}s")
    if word.endswith("sis"):
        return (word, f"{word[:-2]}es")
    return (word, f"{word}es" if word.endswith(("s", "x")) else f"{word}s")
