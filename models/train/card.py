"""The model card: text by hand around sections that the recipes fill with their own figures."""

import re
from collections.abc import Sequence
from pathlib import Path

CARD = "card.md"


def write_section(folder: Path, section: str, lines: Sequence[str]) -> None:
    """Replaces what stands between `<!-- section -->` and `<!-- /section -->` of the card.

    Raises: ValueError if the card has no such section.
    """
    path = folder / CARD
    card = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(card):
        raise ValueError(f"{CARD} has no section {section}")
    body = "\n".join([begin, "", *lines, "", end])
    path.write_text(pattern.sub(lambda _: body, card), encoding="utf-8")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
