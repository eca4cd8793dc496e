"""Which sentence stands where, the same in every language.

A finding is stated once in the findings section: what is there, then what is known to be absent,
then what nobody looked for. A finding that was not assessed never gets a word of normality.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from radgen.compose.chinese import Chinese
from radgen.compose.english import English
from radgen.compose.wording import Wording
from radgen.domain.errors import PackError
from radgen.domain.finding import Certainty, Finding, FindingStructure, Presence
from radgen.domain.report import Language, ReportText, Section, SectionText, Sentence
from radgen.knowledge import findings
from radgen.knowledge.labels import AI_LABEL

_WORDING: dict[Language, Wording] = {Language.ZH: Chinese(), Language.EN: English()}
_INCOMPLETE = "incomplete-study"
_STRENGTH = {each: rank for rank, each in enumerate((None, *Certainty))}

Numbered = tuple[int, Finding]


def compose(
    structure: FindingStructure, languages: Sequence[Language] = (Language.ZH, Language.EN)
) -> tuple[ReportText, ...]:
    """Writes the structure as one text per language, in the order asked for.

    Sections: technique, findings, impression. The AI label is the first sentence of the document
    (viewers show no flags), the first of the impression, and the last line of all.
    Raises: UnknownTermError if the structure uses a word the knowledge does not have; PackError if
        it refuses the study and assesses a finding at the same time.
    """
    if structure.refusal and any(_is_assessed(each) for each in structure.findings):
        raise PackError("a refused study has an assessed finding")
    return tuple(_text(structure, language) for language in languages)


def is_incomplete(structure: FindingStructure) -> bool:
    """True if images are known to be missing."""
    return bool(structure.missing) or _INCOMPLETE in structure.cautions


def _text(structure: FindingStructure, language: Language) -> ReportText:
    words, label = _WORDING[language], Sentence(AI_LABEL[language])
    body = _refused if structure.refusal else _assessed
    stated, concluded = body(structure, words)
    return ReportText(
        language,
        (
            SectionText(Section.TECHNIQUE, (label, *_technique(structure, words))),
            SectionText(Section.FINDINGS, stated),
            SectionText(Section.IMPRESSION, (label, *_in_order(concluded), label)),
        ),
    )


def _technique(structure: FindingStructure, words: Wording) -> tuple[Sentence, ...]:
    sentences = [Sentence(words.technique(structure)), Sentence(words.reader(structure))]
    # The details complete the refusal where there is one, otherwise the first caution.
    details = "" if structure.refusal else structure.details
    for caution in structure.cautions:
        if caution != _INCOMPLETE:
            sentences.append(Sentence(words.caution(caution, details)))
            details = ""
    return tuple(sentences + _incomplete(structure, words))


def _incomplete(structure: FindingStructure, words: Wording) -> list[Sentence]:
    if not is_incomplete(structure):
        return []
    return [Sentence(words.incomplete(structure.missing or None))]


Body = tuple[tuple[Sentence, ...], list[Sentence]]


def _refused(structure: FindingStructure, words: Wording) -> Body:
    every = tuple(range(len(structure.findings)))
    refusal = Sentence(words.refused(structure.refusal or "", structure.details), every)
    return (refusal,), [refusal]


def _assessed(structure: FindingStructure, words: Wording) -> Body:
    numbered = list(enumerate(structure.findings))
    present = sorted(_with(numbered, Presence.PRESENT), key=_weight)
    absent = _with(numbered, Presence.ABSENT)
    positives = [Sentence(words.present(each), (index,)) for index, each in present]
    stated = [
        *positives,
        *(Sentence(words.measured(each)) for each in structure.measurements),
        *_absences(absent, words),
        *_gaps(_with(numbered, Presence.NOT_ASSESSED), words),
    ]
    concluded = positives or [_without_positives(absent, words)]
    return tuple(stated) or (Sentence(words.nothing_assessed()),), [
        *concluded,
        *_incomplete(structure, words),
    ]


def _without_positives(absent: Sequence[Numbered], words: Wording) -> Sentence:
    if not absent:
        return Sentence(words.nothing_assessed())
    return Sentence(words.nothing_found(), tuple(index for index, _ in absent))


def _absences(absent: Sequence[Numbered], words: Wording) -> list[Sentence]:
    general = [each for each in absent if _is_general(each[1])]
    particular = [each for each in absent if not _is_general(each[1])]
    together = [
        Sentence(words.absent([each for _, each in group]), tuple(index for index, _ in group))
        for group in _grouped(general, lambda each: findings.entry(each.finding).region)
    ]
    return together + [Sentence(words.absent_there(each), (index,)) for index, each in particular]


def _gaps(missing: Sequence[Numbered], words: Wording) -> list[Sentence]:
    return [
        Sentence(
            words.not_assessed([each for _, each in group], group[0][1].reason),
            tuple(index for index, _ in group),
        )
        for group in _grouped(missing, lambda each: each.reason or "")
    ]


def _grouped(
    numbered: Sequence[Numbered], key: Callable[[Finding], str]
) -> Iterable[list[Numbered]]:
    ordered = sorted(numbered, key=lambda each: key(each[1]))
    groups = [list(group) for _, group in groupby(ordered, key=lambda each: key(each[1]))]
    return sorted(groups)  # by the first index, so the structure's own order leads


def _in_order(sentences: Sequence[Sentence]) -> list[Sentence]:
    return [
        Sentence(f"{number}. {each.text}", each.findings)
        for number, each in enumerate(sentences, start=1)
    ]


def _weight(numbered: Numbered) -> tuple[bool, int, int]:
    """Critical first, then the surest, then the structure's own order."""
    index, finding = numbered
    return (not findings.entry(finding.finding).critical, _STRENGTH[finding.certainty], index)


def _with(numbered: Sequence[Numbered], presence: Presence) -> list[Numbered]:
    return [each for each in numbered if each[1].presence is presence]


def _is_general(finding: Finding) -> bool:
    return not (finding.side or finding.site or finding.measurements) and finding.size_mm is None


def _is_assessed(finding: Finding) -> bool:
    return finding.presence is not Presence.NOT_ASSESSED
