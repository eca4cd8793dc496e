"""Which of a decoder's sentences agree with the finding structure; pure.

The decoder proposes, the structure disposes. A sentence is kept only if every one of its words is
accounted for: the name of a finding, a negation, a certainty, a side or a number that the structure
holds, or a word that says nothing. What we cannot read is dropped, so a comparison with a study
that nobody has seen, a place or a size that nobody measured cannot slip through.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radgen.domain.finding import Certainty, Finding, FindingStructure, Presence, Side
from radgen.knowledge import findings, quantities

_SENTENCE = re.compile(r"(?<=[.?!;])\s+")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*|\d+(?:\.\d+)?")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")

SIDES = {
    "right": Side.RIGHT,
    "right-sided": Side.RIGHT,
    "left": Side.LEFT,
    "left-sided": Side.LEFT,
    "bilateral": Side.BILATERAL,
    "both": Side.BILATERAL,
}
NEGATIONS = frozenset({"no", "not", "without"})
HEDGES = frozenset({"possible", "possibly", "probable", "probably", "likely", "may", "suspected"})
FILLERS = frozenset(
    {"a", "an", "are", "be", "definite", "evidence", "for", "findings", "identified", "in", "is"}
    | {"of", "on", "or", "present", "seen", "side", "size", "the", "there", "visible", "mm"}
    | {"appearances", "consistent", "with", "acute"}
)
# Usual ways to say that something is absent without its name or a negation.
NORMAL_WORDS: Mapping[str, str] = {
    "heart size is normal": "cardiomegaly",
    "heart is normal in size": "cardiomegaly",
    "heart is not enlarged": "cardiomegaly",
    "cardiac silhouette is normal in size": "cardiomegaly",
}


@dataclass(frozen=True, slots=True)
class CheckedProposal:
    """The sentences that may be shown, in order, and how many may not."""

    kept: tuple[str, ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class _Mention:
    """One name of a finding in a sentence. negated: by the part of the sentence it stands in."""

    finding: str
    negated: bool


def check_proposal(
    text: str, structure: FindingStructure, lexicon: Mapping[str, str] | None = None
) -> CheckedProposal:
    """Keeps the sentences of `text` that say nothing but what `structure` says.

    text: English. lexicon: lower-case name -> finding id; the knowledge's own where it is None.
    """
    names = _phrases(findings.synonyms() if lexicon is None else lexicon)
    sentences = [sentence for sentence in _SENTENCE.split(text.strip()) if sentence]
    kept = tuple(each for each in sentences if _agrees(each, structure, names))
    return CheckedProposal(kept, len(sentences) - len(kept))


def _phrases(lexicon: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    return {tuple(_WORD.findall(name)): id_ for name, id_ in lexicon.items() if _WORD.search(name)}


def _agrees(
    sentence: str, structure: FindingStructure, names: Mapping[tuple[str, ...], str]
) -> bool:
    words = _WORD.findall(sentence.lower())
    normal = NORMAL_WORDS.get(" ".join(words).removeprefix("the "))
    if normal is not None:
        return _said(structure, _Mention(normal, negated=True)) is not None
    mentions: list[_Mention] = []
    rest: list[str] = []
    parts = _parts(words)
    if len({any(word in NEGATIONS for word in part) for part in parts}) > 1:
        return False  # "no A and B": whether B is denied cannot be read
    for part in parts:
        found, others = _read_part(part, names)
        if found is None:
            return False
        mentions += found
        rest += others
    said = [_said(structure, mention) for mention in mentions]
    stated = [finding for finding in said if finding is not None]
    return bool(stated) and len(stated) == len(said) and _accounted(rest, stated)


def _parts(words: Sequence[str]) -> list[list[str]]:
    """The words between "and"s."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "and":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _read_part(
    words: list[str], names: Mapping[tuple[str, ...], str]
) -> tuple[list[_Mention] | None, list[str]]:
    """(mentions, other words); None where a negation cannot be tied to its finding."""
    places: list[tuple[int, str]] = []
    rest: list[str] = []
    negations: list[int] = []
    index = 0
    while index < len(words):
        length, finding = _name_at(words, index, names)
        if length:
            places.append((index, finding))
        elif words[index] in NEGATIONS:
            negations.append(index)
        else:
            rest.append(words[index])
        index += max(length, 1)
    if not places:
        return None, rest
    if not negations:
        return [_Mention(finding, negated=False) for _, finding in places], rest
    denied_before = negations[0] < places[0][0]  # "no A, B or C"
    denied_after = len(places) == 1 and "not" in words[places[0][0] :]  # "A is not seen"
    if not denied_before and not denied_after:
        return None, rest
    return [_Mention(finding, negated=True) for _, finding in places], rest


def _name_at(
    words: Sequence[str], index: int, names: Mapping[tuple[str, ...], str]
) -> tuple[int, str]:
    """(words, finding) of the longest name that starts at `index`, (0, "") where none does."""
    longest = max(map(len, names), default=0)
    for length in range(min(longest, len(words) - index), 0, -1):
        phrase = tuple(words[index : index + length])
        singular = (*phrase[:-1], phrase[-1].removesuffix("s"))
        finding = names.get(phrase) or names.get(singular)
        if finding:
            return length, finding
    return 0, ""


def _said(structure: FindingStructure, mention: _Mention) -> Finding | None:
    """The finding of the structure that says the same, None where there is none."""
    wanted = Presence.ABSENT if mention.negated else Presence.PRESENT
    for finding in structure.findings:
        if finding.finding == mention.finding:
            return finding if finding.presence is wanted else None
    return None


def _accounted(rest: Sequence[str], stated: Sequence[Finding]) -> bool:
    """True if no word adds a side, a certainty or a number that the findings do not hold."""
    sides = {SIDES[word] for word in rest if word in SIDES}
    if any(sides - {finding.side} for finding in stated):
        return False
    sure = (None, Certainty.CONSISTENT_WITH)
    hedged = any(word in HEDGES for word in rest)
    if not hedged and any(finding.certainty not in sure for finding in stated):
        return False
    known = FILLERS | HEDGES | SIDES.keys() | _numbers(stated)
    return all(word in known for word in rest)


def _numbers(stated: Sequence[Finding]) -> frozenset[str]:
    """Every spelling of a number that the findings hold."""
    sizes = [finding.size_mm for finding in stated if finding.size_mm is not None]
    printed = {quantities.number(size, decimals) for size in sizes for decimals in (0, 1)}
    for finding in stated:
        for measurement in finding.measurements:
            printed.update(_NUMBER.findall(quantities.value_and_unit(measurement)))
    return frozenset(printed)
