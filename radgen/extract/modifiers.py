"""Which side, place, size, number and change belong to which mention."""

from collections.abc import Iterable, Sequence, Set

from radgen.extract.mention import JOINS, Mention, Sentence
from radgen.extract.scan import Token
from radgen.knowledge import findings

_CUTS = frozenset({"list", "or", "with", "hedge", "hedge-both", "deny", "colon", "skip"})
_BARE = frozenset(
    {"side", "site", "mark", "comma", "open", "close", "size", "diameter", "measured"}
)
_SPREADS = ("pleura", "lung")  # regions whose findings share a side when they are listed


def read_modifiers(sentence: Sentence) -> None:
    """Sets side, site, sizes, number and change of every mention."""
    for index, mention in enumerate(sentence.mentions):
        before = sentence.tokens[_left(sentence, index) : mention.at]
        after = sentence.tokens[mention.at + 1 : _right(sentence, index)]
        _place(sentence, mention, before, after)
        _measure(mention, before, after)
    _share_words(sentence)
    _share_sides(sentence)
    for at, token in enumerate(sentence.tokens):
        if token.kind == "change" and token.value != "resolved":
            _change(sentence, at, token.value)


def _left(sentence: Sentence, index: int) -> int:
    """Where the words before a mention begin: at its clause, or after the cut from the last."""
    mention = sentence.mentions[index]
    start = mention.at
    while start and sentence.clause[start - 1] == sentence.clause[mention.at]:
        start -= 1
        if sentence.mentions[index - 1].at == start and index:
            return _cut(sentence, sentence.mentions[index - 1], mention)
    return start


def _right(sentence: Sentence, index: int) -> int:
    """Where the words after a mention end; a clause of nothing but modifiers belongs to it."""
    mention = sentence.mentions[index]
    following = sentence.mentions[index + 1] if index + 1 < len(sentence.mentions) else None
    if following and sentence.clause[following.at] == sentence.clause[mention.at]:
        return _cut(sentence, mention, following)
    end, total = mention.at + 1, len(sentence.tokens)
    while end < total and sentence.clause[end] == sentence.clause[mention.at]:
        end += 1
    while end < total:
        stop = end + 1
        while stop < total and sentence.clause[stop] == sentence.clause[end]:
            stop += 1
        if any(token.kind in ("finding", "normal", "break") for token in sentence.tokens[end:stop]):
            break
        end = stop
    return end


def _cut(sentence: Sentence, one: Mention, other: Mention) -> int:
    """Where the words of one mention end and those of the next begin."""
    found = [
        at
        for at in range(one.at + 1, other.at)
        if sentence.tokens[at].kind in _CUTS
        or (sentence.tokens[at].kind == "verb" and sentence.is_chinese(at))
    ]
    if found:
        return found[-1]
    has_verb = any(token.kind in ("verb", "participle") for token in sentence.between(one, other))
    return other.at if has_verb else one.at + 1


def _place(
    sentence: Sentence, mention: Mention, before: Sequence[Token], after: Sequence[Token]
) -> None:
    own = _own_clause(sentence, mention, after)
    mention.side = _side(before, last=True)
    mention.leads = bool(mention.side)
    mention.site = _site(mention, reversed(before))
    if not mention.side:
        mention.side = _side(own, last=False)
    if not mention.site:
        mention.site = _site(mention, own)
    if not mention.side and not mention.site and _region(mention) in _SPREADS:
        topic = _topic(sentence, mention)
        mention.side, mention.site = _side(topic, last=True), _site(mention, reversed(topic))
        mention.leads = bool(mention.side)


def _own_clause(sentence: Sentence, mention: Mention, after: Sequence[Token]) -> Sequence[Token]:
    """`after` up to the first later clause that holds more than bare modifiers."""
    clauses: dict[int, list[Token]] = {}
    for offset, token in enumerate(after):
        clauses.setdefault(sentence.clause[mention.at + 1 + offset], []).append(token)
    own: list[Token] = []
    for number, tokens in clauses.items():
        kinds = {token.kind for token in tokens}
        if number == sentence.clause[mention.at] or _BARE.issuperset(kinds):
            own += tokens
        elif tokens[0].kind != "open":
            break
    return own


def _topic(sentence: Sentence, mention: Mention) -> Sequence[Token]:
    """The clause before, where it names a place and states nothing: "In the left lung, ..."."""
    number = sentence.clause[mention.at] - 1
    start = mention.at
    while start and sentence.clause[start - 1] >= number:
        start -= 1
    tokens = [
        token
        for at, token in enumerate(sentence.tokens[start : mention.at], start)
        if sentence.clause[at] == number
    ]
    kinds = {token.kind for token in tokens}
    if number < 0 or kinds & {"finding", "normal", "deny", "gap", "other"}:
        return []
    if sentence.is_chinese(mention.at):
        is_explained = any(
            sentence.tokens[at].kind == "hedge" and sentence.clause[at] == number + 1
            for at in range(max(mention.at - 12, 0), mention.at)
        )
        return tokens if is_explained or any(_is_lung(token) for token in tokens) else []
    return [] if "verb" in kinds else tokens


def _is_lung(token: Token) -> bool:
    return bool(token.place) or (token.kind == "site" and token.value not in ("heart", "pleura"))


def _side(tokens: Sequence[Token], *, last: bool) -> str:
    sides = [token.value for token in tokens if token.kind == "side"]
    if {"right", "left"}.issubset(sides):
        return "bilateral"
    if not sides:
        return ""
    return sides[-1] if last else sides[0]


def _site(mention: Mention, tokens: Iterable[Token]) -> str:
    row = mention.token.meaning.row if mention.token.meaning else None
    for token in tokens:
        place = token.value if token.kind == "site" else token.place
        if place and not (row and place in row.of and _default_site(mention) == place):
            return place
    return ""


def _default_site(mention: Mention) -> str:
    return findings.entry(mention.token.value).site


def _region(mention: Mention) -> str:
    return findings.entry(mention.token.value).region


def _measure(mention: Mention, before: Sequence[Token], after: Sequence[Token]) -> None:
    for token in (*before, *after):
        if token.size_mm is not None:
            sizes = mention.sizes if token.kind == "size" else mention.diameters
            sizes.append(token.size_mm)
    for token in before:
        if token.kind == "count":
            mention.number = int(token.value)


def _share_words(sentence: Sentence) -> None:
    """Two findings of one word (液气胸) have one side and one place."""
    for one, other in zip(sentence.mentions, sentence.mentions[1:], strict=False):
        if one.token.start == other.token.start:
            side, site = one.side or other.side, one.site or other.site
            one.side = other.side = side
            one.site = other.site = site


def _share_sides(sentence: Sentence) -> None:
    """Shares as in "right effusion and atelectasis", "effusion and atelectasis on the right"."""
    pairs = list(zip(sentence.mentions, sentence.mentions[1:], strict=False))
    for one, other in pairs:
        if one.side and not other.side and _leads(sentence, one, other):
            other.side, other.leads = one.side, True
            other.site = other.site or one.site
    for one, other in reversed(pairs):
        if other.side and not other.leads and not one.side and _shares(sentence, one, other):
            one.side = other.side
            one.site = one.site or other.site


def _leads(sentence: Sentence, one: Mention, other: Mention) -> bool:
    """True if the side said of one is that of the next as well."""
    kinds = {token.kind for token in sentence.between(one, other)}
    return (one.leads or bool(kinds & {"hedge", "hedge-both"})) and _shares(sentence, one, other)


def _shares(sentence: Sentence, one: Mention, other: Mention) -> bool:
    if one.gap or other.gap or one.token.kind == "normal" or one.denied != other.denied:
        return False
    if not {_region(one), _region(other)}.issubset(_SPREADS):
        return False
    between = sentence.between(one, other)
    kinds = {token.kind for token in between}
    if kinds & {"break", "open", "close", "deny"}:
        return False
    if kinds & {"hedge", "hedge-both"}:
        return not kinds & JOINS and not one.hedge  # one explains the other, at the same place
    at_one_place = any(token.kind == "with" and token.value == "same" for token in between)
    return at_one_place or _are_joined(sentence, one, kinds)


def _are_joined(sentence: Sentence, one: Mention, kinds: Set[str]) -> bool:
    joins = JOINS | {"with"} if sentence.is_chinese(one.at) else JOINS
    return bool(kinds & joins) and not kinds & {"comma", "verb"}


def _change(sentence: Sentence, at: int, value: str) -> None:
    last, following = sentence.last_in_clause(at), sentence.next_in_clause(at)
    if last and following:
        between = {token.kind for token in sentence.tokens[last.at + 1 : at]}
        last = None if between & _CUTS else last
    if last is None and following:
        mentions = sentence.mentions_after(at)
    elif last is None and _speaks_of_another(sentence, at):
        return
    else:
        mentions = sentence.mentions_before(at, other_clause=True)
    for mention in mentions:
        mention.change = mention.change or value


def _speaks_of_another(sentence: Sentence, at: int) -> bool:
    """True if the clause of a change names a part of the body, of which then it speaks."""
    number = sentence.clause[at]
    around = range(max(at - 12, 0), min(at + 12, len(sentence.tokens)))
    return any(
        sentence.tokens[each].kind in ("site", "subject", "elsewhere", "word")
        and sentence.clause[each] == number
        for each in around
    )
