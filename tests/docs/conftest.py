"""Tables in the documents that are held to the code; RADGEN_WRITE_DOCS=1 writes them anew.

A held table follows a line `<!-- held: NAME -->`. The first columns come from the code; columns
behind them are prose, kept by the text of the first column.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class HeldTables:
    """The held tables of one document."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = path.read_text(encoding="utf-8").splitlines()

    def names(self) -> list[str]:
        return [line[11:-4].strip() for line in self._lines if line.startswith("<!-- held: ")]

    def rows(self, name: str) -> list[list[str]]:
        """Cells of the rows below the header."""
        start, end = self._span(name)
        return [_cells(line) for line in self._lines[start + 2 : end]]

    def write(self, name: str, rows: Sequence[Sequence[str]]) -> None:
        start, end = self._span(name)
        width = len(_cells(self._lines[start]))
        prose = {row[0]: row for row in self.rows(name)}
        new = []
        for row in rows:
            old = prose.get(row[0], [""] * width)
            new.append("| " + " | ".join([*row, *old[len(row) : width]]).rstrip() + " |")
        self._lines[start + 2 : end] = new
        self.path.write_text("\n".join(self._lines) + "\n", encoding="utf-8")

    def _span(self, name: str) -> tuple[int, int]:
        """Index of the header row, and of the first line behind the table."""
        start = self._lines.index(f"<!-- held: {name} -->") + 1
        end = start
        while end < len(self._lines) and self._lines[end].startswith("|"):
            end += 1
        return start, end


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


@pytest.fixture
def hold():
    """Asserts that a held table says what the code says; every row with prose where it is due."""

    def check(document: str, name: str, rows: Sequence[Sequence[str]]) -> None:
        tables = HeldTables(ROOT / document)
        if os.environ.get("RADGEN_WRITE_DOCS"):
            tables.write(name, rows)
        found = tables.rows(name)
        width = len(rows[0])
        assert [row[:width] for row in found] == [list(row) for row in rows]
        assert all(cell for row in found for cell in row), f"an empty cell in {name}"

    return check


@pytest.fixture
def held_names():
    """Names of the held tables of a document."""
    return lambda document: HeldTables(ROOT / document).names()
