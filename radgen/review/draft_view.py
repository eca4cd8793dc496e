"""A draft as the page shows it: each sentence with its findings, confidence, source and regions."""

from dataclasses import dataclass

from radgen.domain.finding import Finding, FindingStructure, ImageEvidence, Presence
from radgen.domain.report import DraftReport, Language, ReportText, Section, Sentence
from radgen.knowledge.labels import HEADING
from radgen.review.settings import PageLanguage
from radgen.review.words import finding_name, measured_text, reason_text, words

PAGE_LANGUAGE: dict[Language, PageLanguage] = {Language.ZH: "zh", Language.EN: "en"}


@dataclass(frozen=True, slots=True)
class SentenceView:
    """One sentence.

    findings: indices into the structure, as one token list for the page ("0 3").
    kind: "present", "absent", "not-assessed" or "plain" (labels, technique).
    percent: calibrated probability in whole percent, None where nothing estimates it.
    """

    text: str
    findings: str
    kind: str
    percent: int | None
    is_bound: bool
    sources: tuple[str, ...]
    evidence: int | None


@dataclass(frozen=True, slots=True)
class SectionView:
    """One heading; gaps are the sentences that say what nobody looked for."""

    heading: str
    sentences: tuple[SentenceView, ...]
    gaps: tuple[SentenceView, ...]


@dataclass(frozen=True, slots=True)
class TextView:
    """One language's whole text."""

    tag: str
    sections: tuple[SectionView, ...]
    banner: str
    gap_heading: str
    gap_note: str


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the shown image that a finding rests on, in stored pixels."""

    finding: int
    name: str
    left: float
    top: float
    width: float
    height: float


def text_views(report: DraftReport) -> tuple[TextView, ...]:
    """Every language of the draft, in its order."""
    return tuple(_text_view(report.structure, text) for text in report.texts)


def _text_view(structure: FindingStructure, text: ReportText) -> TextView:
    language = PAGE_LANGUAGE[text.language]
    sections = []
    for section in text.sections:
        views = [_sentence_view(structure, each, language) for each in section.sentences]
        splits = section.section is Section.FINDINGS
        sections.append(
            SectionView(
                heading=HEADING[text.language][section.section],
                sentences=tuple(v for v in views if not (splits and v.kind == "not-assessed")),
                gaps=tuple(v for v in views if splits and v.kind == "not-assessed"),
            )
        )
    spoken = words(language)
    return TextView(
        tag=text.language.value,
        sections=tuple(sections),
        banner=spoken["banner"],
        gap_heading=spoken["not_assessed"],
        gap_note=spoken["gap_note"],
    )


def _sentence_view(
    structure: FindingStructure, sentence: Sentence, language: PageLanguage
) -> SentenceView:
    stated = [(i, structure.findings[i]) for i in sentence.findings]
    found = [finding for _, finding in stated]
    chances = [each.probability for each in found if each.probability is not None]
    assessed = [each for each in found if each.presence is not Presence.NOT_ASSESSED]
    return SentenceView(
        text=sentence.text,
        findings=" ".join(str(i) for i, _ in stated),
        kind=_kind(found),
        percent=round(max(chances) * 100) if chances and assessed else None,
        is_bound=len(chances) > 1,
        sources=tuple(
            dict.fromkeys(words(language)[f"source_{each.source.value}"] for each in assessed)
        ),
        evidence=next((i for i, each in stated if each.evidence), None),
    )


def _kind(found: list[Finding]) -> str:
    presences = {each.presence for each in found}
    for presence in (Presence.PRESENT, Presence.ABSENT, Presence.NOT_ASSESSED):
        if presence in presences:
            return presence.value.replace(" ", "-")
    return "plain"


def shown_image(structure: FindingStructure, finding: int | None) -> ImageEvidence | None:
    """The image to show: where the chosen finding is seen, else the key image."""
    if finding is not None and 0 <= finding < len(structure.findings):
        evidence = structure.findings[finding].evidence
        if evidence:
            return evidence[0]
    for each in structure.findings:
        if each.presence is Presence.PRESENT and each.evidence:
            return each.evidence[0]
    return structure.images[0] if structure.images else None


def regions(
    structure: FindingStructure, sop_uid: str, language: PageLanguage
) -> tuple[Region, ...]:
    """Every region on one image, larger ones first so that smaller ones stay reachable."""
    found = [
        Region(
            index,
            finding_name(finding.finding, language),
            evidence.box.left,
            evidence.box.top,
            evidence.box.right - evidence.box.left,
            evidence.box.bottom - evidence.box.top,
        )
        for index, finding in enumerate(structure.findings)
        for evidence in finding.evidence
        if evidence.sop_instance_uid == sop_uid and evidence.box is not None
    ]
    return tuple(sorted(found, key=lambda region: -region.width * region.height))


def measurement_lines(structure: FindingStructure, language: PageLanguage) -> tuple[str, ...]:
    """Every measured value of the study."""
    return tuple(measured_text(each, language) for each in structure.measurements)


def caution_lines(structure: FindingStructure, language: PageLanguage) -> tuple[str, ...]:
    """The refusal, if any, and the cautions, in words."""
    ids = ((structure.refusal,) if structure.refusal else ()) + structure.cautions
    return tuple(reason_text(each, language) for each in ids)
