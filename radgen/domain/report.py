"""A report: sections of sentences, each sentence tied to the findings it states.

`DraftReport` and the signed report of a later stage are two types, so that signing is never
implied.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from radgen.domain.finding import FindingStructure


class Language(StrEnum):
    """RFC 5646 tags, as written into the SR (121049 DCM Language of Content Item)."""

    ZH = "zh-CN"
    EN = "en-US"


class Section(StrEnum):
    """Headings of PS3.16 CID 7001 that the engine writes, in document order."""

    INDICATION = "indication"
    TECHNIQUE = "technique"
    FINDINGS = "findings"
    IMPRESSION = "impression"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and the findings it states.

    findings: indices into `FindingStructure.findings`; empty only for labels and cautions.
    """

    text: str
    findings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionText:
    """One heading and its sentences."""

    section: Section
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class ReportText:
    """One language's whole text."""

    language: Language
    sections: tuple[SectionText, ...]


@dataclass(frozen=True, slots=True)
class DraftReport:
    """A draft: never verified, never final.

    version: 1 for the first draft of a study; a late image makes the next.
    drafted_at: with time zone; part of the content, so that the same draft always makes the same
        bytes.
    engine: what computed it ("triton-embedded", "triton-url", "in-process"); not part of the
        content.
    texts: one per language, primary language first.
    predecessor: SOP Instance UID of the draft it replaces.
    predecessor_version: version of that draft, None for the one just before.
    """

    study_uid: str
    version: int
    drafted_at: datetime
    structure: FindingStructure
    texts: tuple[ReportText, ...]
    predecessor: str | None = None
    predecessor_version: int | None = None
