"""What a sentence says is there, is not there, may be there, or was not looked for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from radgen.domain.finding import Certainty
from radgen.extract.mention import Sentence

# Words that only a finding which is there carries: a denial does not reach over them.
_AFFIRMS = frozenset({"mark", "side", "hedge", "change", "verb", "normal", "count", "size"})
_ENDS_A_LIST = frozenset(
    {"verb", "hedge", "break", "deny", "normal", "open", "close", "deny-after"}
)
_NAMES_ANOTHER = frozenset({"word", "other", "elsewhere", "site", "subject"})
_STRENGTH = {each.value: rank for rank, each in enumerate(Certainty)}


@dataclass(slots=True)
class _State:
    """Which cues are in force.

    seen: mentions since the denial or hedge began. stated: a finding was said to be there before.
    """

    deny: bool = False
    stated: bool = False
    hedge: str = ""
    seen: int = 0
    gap: bool = False
    skip: str = ""
    outer: list[tuple[bool, str]] = field(default_factory=list)


def read_scopes(sentence: Sentence) -> None:
    """Sets denied, hedge, gap and dropped of every mention; what is resolved is denied."""
    state = _State()
    for at, token in enumerate(sentence.tokens):
        handler = _HANDLERS.get(token.kind)
        if handler:
            handler(sentence, at, state)
    _hedge_alternatives(sentence)
    for mention in sentence.mentions:
        if mention.denied or mention.gap:
            mention.hedge = ""


def _finding(sentence: Sentence, at: int, state: _State) -> None:
    mention = sentence.mentions[sentence.before[at]]
    if mention.token.kind == "normal":
        mention.dropped = at > 0 and sentence.tokens[at - 1].kind == "deny"
    mention.denied = mention.denied or state.deny
    mention.hedge = _weaker(mention.hedge, state.hedge)
    mention.gap = state.gap
    mention.dropped = mention.dropped or bool(state.skip)
    state.seen += 1


def _deny(sentence: Sentence, at: int, state: _State) -> None:
    before = sentence.tokens[at - 1].kind if at else ""
    is_last = next(sentence.rest_of_clause(at), None) is None
    if is_last and before in ("finding", "colon"):
        for mention in sentence.mentions_before(at):
            mention.denied = True
        return
    last = sentence.last_in_clause(at)
    state.stated = last is not None and not last.denied
    state.deny, state.hedge, state.seen = True, "", 0


def _deny_after(sentence: Sentence, at: int, state: _State) -> None:
    mentions = sentence.mentions_before(at, other_clause=True)
    for mention in mentions:
        mention.denied = True
    if not mentions:
        _deny(sentence, at, state)


def _change(sentence: Sentence, at: int, state: _State) -> None:
    if sentence.tokens[at].value != "resolved":
        return
    after = sentence.mentions_after(at)
    mentions = sentence.mentions_before(at, other_clause=True) or after
    for mention in mentions:
        mention.change = "resolved"
        mention.denied = True
    state.hedge = ""


def _hedge(sentence: Sentence, at: int, state: _State) -> None:
    if at and sentence.tokens[at - 1].kind == "deny":
        return
    value = sentence.tokens[at].value
    state.hedge = _weaker(state.hedge, value) if state.seen == 0 else value
    state.deny, state.seen = False, 0


def _hedge_both(sentence: Sentence, at: int, state: _State) -> None:
    value = sentence.tokens[at].value
    ahead = [token.kind for _, token in sentence.rest_of_clause(at)]
    until_list = ahead[: next((i for i, kind in enumerate(ahead) if kind in ("list", "or")), None)]
    if "finding" in until_list:
        _hedge(sentence, at, state)
    elif not _NAMES_ANOTHER.intersection(until_list) and not _is_of_another(sentence, at):
        for mention in sentence.mentions_before(at, other_clause=True):
            mention.hedge = _weaker(mention.hedge, value)


def _is_of_another(sentence: Sentence, at: int) -> bool:
    """True if the clause says the certainty of something that is no finding of ours."""
    if sentence.last_in_clause(at):
        return False
    return any(
        token.kind in _NAMES_ANOTHER
        for number, token in zip(
            sentence.clause[max(at - 12, 0) : at],
            sentence.tokens[max(at - 12, 0) : at],
            strict=True,
        )
        if number == sentence.clause[at]
    )


def _gap(sentence: Sentence, at: int, state: _State) -> None:
    mentions = sentence.mentions_before(at)
    for mention in mentions:
        mention.gap = True
    state.gap = not mentions


def _skip(sentence: Sentence, at: int, state: _State) -> None:
    state.skip = sentence.tokens[at].value


def _verb(sentence: Sentence, at: int, state: _State) -> None:
    if state.seen and not any(token.kind == "or" for _, token in sentence.rest_of_clause(at)):
        state.deny, state.hedge = False, ""


def _list(sentence: Sentence, at: int, state: _State) -> None:
    if not state.seen or sentence.is_chinese(at):
        return
    kinds: list[str] = []
    for _, token in sentence.rest_of_clause(at):
        if token.kind == "or":
            return
        if token.kind == "list":
            break
        kinds.append(token.kind)
    if _AFFIRMS.intersection(kinds):
        state.deny, state.hedge = False, ""


def _with(sentence: Sentence, at: int, state: _State) -> None:
    if sentence.tokens[at].value == "same":
        return
    state.hedge = ""
    kinds = {token.kind for _, token in sentence.rest_of_clause(at)}
    if state.seen and _AFFIRMS.intersection(kinds):
        state.deny = False


def _break(sentence: Sentence, at: int, state: _State) -> None:
    del sentence, at
    state.deny, state.hedge, state.seen = False, "", 0
    state.skip = "" if state.skip == "segment" else state.skip


def _comma(sentence: Sentence, at: int, state: _State) -> None:
    state.skip = "" if state.skip == "segment" else state.skip
    if not (state.deny or state.hedge):
        return
    if not _continues(sentence, at, state):
        state.deny, state.hedge, state.seen = False, "", 0


def _open(sentence: Sentence, at: int, state: _State) -> None:
    del sentence, at
    if len(state.outer) < 8:
        state.outer.append((state.deny, state.hedge))
    state.deny, state.hedge = False, ""


def _close(sentence: Sentence, at: int, state: _State) -> None:
    del sentence, at
    state.deny, state.hedge = state.outer.pop() if state.outer else (False, "")


def _continues(sentence: Sentence, at: int, state: _State) -> bool:
    """True if the clause after this comma goes on with the list that a cue governs."""
    clause = [token.kind for _, token in sentence.rest_of_clause(at)]
    if sentence.is_chinese(at):
        is_bare = bool(clause) and {"finding", "list", "or"}.issuperset(clause)
        return state.deny and (is_bare or clause[:1] == ["or"])
    if _or_follows(sentence, at):
        return True
    if not state.deny or (state.seen and state.stated):
        return False
    if not state.seen and "finding" in clause:
        return "verb" not in clause[: clause.index("finding")]
    return "finding" in clause and not _AFFIRMS.intersection(clause)


def _or_follows(sentence: Sentence, at: int) -> bool:
    for token in sentence.tokens[at + 1 : at + 41]:
        if token.kind == "or":
            return True
        if token.kind in _ENDS_A_LIST:
            return False
    return False


def _hedge_alternatives(sentence: Sentence) -> None:
    """Two things said to be there, joined by "or": either may not be."""
    for one, other in zip(sentence.mentions, sentence.mentions[1:], strict=False):
        kinds = {token.kind for token in sentence.between(one, other)}
        if "or" not in kinds or kinds & {"break", "deny", "verb", "open", "close"}:
            continue
        if one.token.value == other.token.value:
            other.dropped = one.denied == other.denied or other.dropped
        elif not (one.denied or other.denied or one.hedge or other.hedge):
            one.hedge = other.hedge = Certainty.POSSIBLE.value


def _weaker(one: str, other: str) -> str:
    return max(one, other, key=lambda each: _STRENGTH.get(each, -1))


_HANDLERS: dict[str, Callable[[Sentence, int, _State], None]] = {
    "finding": _finding, "normal": _finding, "deny": _deny, "deny-after": _deny_after,
    "change": _change, "hedge": _hedge, "hedge-both": _hedge_both, "gap": _gap, "skip": _skip,
    "verb": _verb, "list": _list, "with": _with, "break": _break, "comma": _comma,
    "open": _open, "close": _close,
}  # fmt: skip
