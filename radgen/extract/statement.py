"""What one mention in a report says."""

from dataclasses import dataclass
from enum import StrEnum

from radgen.domain.finding import Certainty, Presence, Side


class Change(StrEnum):
    """Against an earlier study."""

    NEW = "new"
    INCREASED = "increased"
    DECREASED = "decreased"
    UNCHANGED = "unchanged"
    RESOLVED = "resolved"


class Heading(StrEnum):
    """Sections of a report, as they are read; more than the engine writes."""

    INDICATION = "indication"
    TECHNIQUE = "technique"
    COMPARISON = "comparison"
    FINDINGS = "findings"
    IMPRESSION = "impression"
    RECOMMENDATION = "recommendation"


@dataclass(frozen=True, slots=True)
class SectionSpan:
    """One section: text[start:end], its heading included; None before the first heading."""

    heading: Heading | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One mention of one finding.

    finding: id of a row in findings.toml. site: id of a row in sites.toml.
    size_mm: the largest length said of it. number: how many, None where no number is said
        ("multiple" is no number).
    span: text[start:end] of the input holds the words that name the finding.
    """

    finding: str
    presence: Presence
    certainty: Certainty | None
    side: Side | None
    site: str | None
    size_mm: float | None
    number: int | None
    change: Change | None
    section: Heading | None
    span: tuple[int, int]
