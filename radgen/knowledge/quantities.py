"""What may be measured, and how a value is printed: quantities.toml and units.toml."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from radgen.domain.errors import UnknownTermError
from radgen.domain.finding import Measurement, Side
from radgen.knowledge.tables import Code, find, read_table


@dataclass(frozen=True, slots=True)
class QuantityEntry:
    """One quantity: names, code, its one unit, and how many digits are worth printing."""

    id: str
    zh: str
    en: str
    unit: str
    decimals: int
    site: str
    code: Code
    side: Side | None = None
    derivation: Code | None = None


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """One UCUM unit (`id`), the sign printed after the number, and its code meaning."""

    id: str
    print: str
    meaning: str


@lru_cache(maxsize=1)
def entries() -> Mapping[str, QuantityEntry]:
    """All quantities by id."""
    return read_table("quantities", QuantityEntry)


@lru_cache(maxsize=1)
def units() -> Mapping[str, UnitEntry]:
    """All units by UCUM code."""
    return read_table("units", UnitEntry)


def entry(id_: str) -> QuantityEntry:
    """The quantity with this id.

    Raises: UnknownTermError if there is none.
    """
    return find(entries(), "quantity", id_)


def unit(ucum: str) -> UnitEntry:
    """The unit with this UCUM code.

    Raises: UnknownTermError if there is none.
    """
    return find(units(), "unit", ucum)


def number(value: float, decimals: int) -> str:
    """The one spelling of a value, for every text and every coded value.

    Raises: UnknownTermError if the value is not a number that can be printed.
    """
    if not math.isfinite(value):
        raise UnknownTermError("a measured value is not finite")
    spelled = f"{value:.{decimals}f}"
    return spelled.removeprefix("-") if float(spelled) == 0 else spelled


def value_and_unit(measurement: Measurement) -> str:
    """A measured value as it is printed in every language: "4123 ml", "12.5%", "0.52".

    Raises: UnknownTermError for an unknown quantity, or a unit that is not the quantity's own.
    """
    row = entry(measurement.quantity)
    if measurement.unit != row.unit:
        raise UnknownTermError(f"{row.id} comes in {row.unit}, not {measurement.unit}")
    sign = unit(row.unit).print
    gap = " " if sign and sign != "%" else ""
    return f"{number(measurement.value, row.decimals)}{gap}{sign}"


def side_of(measurement: Measurement) -> Side | None:
    """The side of a measurement: its own, else the one its quantity is named for."""
    return measurement.side or entry(measurement.quantity).side
