"""The adversarial sentences and how an extraction of them is scored."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from radgen.domain.finding import Certainty, Presence, Side
from radgen.extract.statement import Change, Statement

FILE = Path(__file__).with_name("adversarial.toml")


@dataclass(frozen=True, slots=True)
class Item:
    """One sentence. says: what it states, as in the file."""

    language: str
    text: str
    says: frozenset[str]


def items() -> list[Item]:
    """All sentences, in file order."""
    rows = tomllib.loads(FILE.read_text("utf-8"))["item"]
    return [Item(row["language"], row["text"], frozenset(row["says"])) for row in rows]


def spell(statement: Statement) -> str:
    """A statement in the order and spelling of the file, without its site."""
    size, number = statement.size_mm, statement.number
    words = [
        statement.finding,
        statement.presence.value.replace(" ", "-"),
        statement.side and statement.side.value,
        statement.certainty and _SHORT[statement.certainty],
        None if size is None else f"{size:g}mm",
        None if number is None else f"x{number}",
        statement.change and statement.change.value,
    ]
    return " ".join(word for word in words if word)


def without_site(says: str) -> str:
    """An expected statement without its "@site"."""
    return " ".join(word for word in says.split() if not word.startswith("@"))


_SHORT = {
    Certainty.CONSISTENT_WITH: "consistent",
    Certainty.PROBABLE: "probable",
    Certainty.POSSIBLE: "possible",
    Certainty.NOT_EXCLUDED: "not-excluded",
}
KNOWN = {
    *(each.value.replace(" ", "-") for each in Presence),
    *(each.value for each in Side),
    *(each.value for each in Change),
    *_SHORT.values(),
}
