"""A draft's text is read back before it may leave: it must say what the structure says.

The composer and the extractor share no code, only the names of findings, so a fault of either shows
here before a radiologist could see a wrong side or a lost negation.
"""

from collections.abc import Sequence

from radgen.domain.errors import UnfaithfulTextError
from radgen.domain.finding import Certainty, FindingStructure, Presence, Side
from radgen.domain.report import ReportText
from radgen.extract.extract import extract

Told = tuple[str, Presence, Certainty | None, Side | None]


def check_texts(structure: FindingStructure, texts: Sequence[ReportText]) -> None:
    """Reads every language back: assessed findings with presence, certainty and side.

    Raises: UnfaithfulTextError naming the finding and the language, never the text.
    """
    told = {
        (each.finding, each.presence, each.certainty, each.side)
        for each in structure.findings
        if each.presence is not Presence.NOT_ASSESSED
    }
    for text in texts:
        wrong = told ^ _read(text)
        if wrong:
            finding = min(wrong, key=str)[0]
            raise UnfaithfulTextError(f"the {text.language} text does not say {finding} as found")


def _read(text: ReportText) -> set[Told]:
    page = "\n".join(sentence.text for part in text.sections for sentence in part.sentences)
    return {
        (each.finding, each.presence, each.certainty, each.side)
        for each in extract(page)
        if each.presence is not Presence.NOT_ASSESSED
    }
