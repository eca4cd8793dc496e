"""Report text -> statements.

Sentence by sentence: phrases are found, predicates tied to their subjects, then the cues of
negation, certainty and change are given their reach. Sections that state nothing about this image
(indication, technique, comparison, recommendation) are passed over.
"""

from collections.abc import Iterator

from radgen.domain.errors import ReportTextError
from radgen.domain.finding import Certainty, Presence, Side
from radgen.domain.report import Language
from radgen.extract.clean import CleanText, clean
from radgen.extract.lexicon import lexicon
from radgen.extract.mention import Mention, Sentence
from radgen.extract.modifiers import read_modifiers
from radgen.extract.scan import Token, scan
from radgen.extract.scope import read_scopes
from radgen.extract.statement import Change, Heading, SectionSpan, Statement
from radgen.extract.subjects import resolve

MAX_CHARACTERS = 100_000
_SENTENCE_TOKENS = 400  # a longer "sentence" is none; it is cut, so that time stays linear
_STATES_NOTHING = frozenset(
    {Heading.INDICATION, Heading.TECHNIQUE, Heading.COMPARISON, Heading.RECOMMENDATION}
)


def extract(text: str, language: Language | None = None) -> tuple[Statement, ...]:
    """Every mention of a finding in a report or a sentence, in the order of the text.

    language: reads English words alone where it is EN; otherwise both, sentence by sentence.
    Raises: ReportTextError if the text is longer than MAX_CHARACTERS.
    """
    plain = _plain(text)
    statements: list[Statement] = []
    for heading, tokens in _sentences(scan(plain.text, lexicon(language))):
        if not tokens or heading in _STATES_NOTHING:
            continue
        sentence = Sentence(plain.text, resolve(_without_measured_sides(tokens)))
        if sentence.mentions:
            read_scopes(sentence)
            read_modifiers(sentence)
            statements += _statements(sentence, plain, heading)
    return tuple(statements)


def sections(text: str) -> tuple[SectionSpan, ...]:
    """The sections of a report, which together cover the whole text.

    Raises: ReportTextError if the text is longer than MAX_CHARACTERS.
    """
    plain = _plain(text)
    starts: list[tuple[Heading | None, int]] = [(None, 0)]
    starts += [
        (Heading(token.value), plain.offsets[token.start])
        for token in scan(plain.text, lexicon(None))
        if token.kind == "heading"
    ]
    ends = [*(start for _, start in starts[1:]), len(text)]
    return tuple(
        SectionSpan(heading, start, end)
        for (heading, start), end in zip(starts, ends, strict=True)
        if end > start
    )


def _plain(text: str) -> CleanText:
    if len(text) > MAX_CHARACTERS:
        raise ReportTextError(f"a report text has more than {MAX_CHARACTERS} characters")
    return clean(text)


def _sentences(tokens: Iterator[Token]) -> Iterator[tuple[Heading | None, list[Token]]]:
    heading: Heading | None = None
    sentence: list[Token] = []
    for token in tokens:
        if token.kind in ("end", "heading") or len(sentence) >= _SENTENCE_TOKENS:
            yield heading, sentence
            sentence = []
        if token.kind == "heading":
            heading = Heading(token.value)
        elif token.kind != "end":
            sentence.append(token)
    yield heading, sentence


def _without_measured_sides(tokens: list[Token]) -> list[Token]:
    """The side of a measured value ("right diameter 12 mm") is no side of a finding."""
    followers = [*tokens[1:], Token("end", 0, 0)]
    return [
        token
        for token, follower in zip(tokens, followers, strict=True)
        if token.kind != "side" or follower.kind not in ("measured", "diameter")
    ]


def _statements(
    sentence: Sentence, plain: CleanText, heading: Heading | None
) -> Iterator[Statement]:
    for mention in sentence.mentions:
        if not mention.dropped:
            yield _statement(mention, plain, heading)


def _statement(mention: Mention, plain: CleanText, heading: Heading | None) -> Statement:
    presence = _presence(mention)
    sizes = mention.sizes or mention.diameters
    change = mention.change if presence is Presence.PRESENT or mention.change == "resolved" else ""
    return Statement(
        finding=mention.token.value,
        presence=presence,
        certainty=Certainty(mention.hedge) if mention.hedge else None,
        side=Side(mention.side) if mention.side else None,
        site=mention.site or None,
        size_mm=max(sizes) if sizes else None,
        number=mention.number,
        change=Change(change) if change else None,
        section=heading,
        span=plain.span(mention.token.start, mention.token.end),
    )


def _presence(mention: Mention) -> Presence:
    if mention.gap:
        return Presence.NOT_ASSESSED
    return Presence.ABSENT if mention.denied else Presence.PRESENT
