"""Ties what is said (enlarged, 积液) to what it is said of (the heart, 胸腔)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from radgen.extract.scan import Token

_SUBJECTS = {"site", "subject"}
_ENDS_A_GROUP = {"predicate", "normal", "finding", "break", "verb"}
_JOINS = {"list", "or", "comma"}
_ENDS_BACKWARD = frozenset({"break", "finding"})
_ENDS_FORWARD = frozenset({"break", "finding", *_JOINS})


def resolve(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of one sentence, each predicate made a finding, a change, or nothing.

    A predicate that denies ("normal") becomes a token of kind "normal" per finding it denies.
    """
    resolved: list[Token] = []
    announced = False
    for index, token in enumerate(tokens):
        announced = announced or token.kind == "prior"
        if token.kind in ("predicate", "normal"):
            spoken = _spoken(tokens, index)
        elif token.kind == "trend":
            spoken = [replace(token, kind="change")]
        else:
            spoken = [token]
        _append(resolved, spoken, announced=announced)
    return resolved


def _append(resolved: list[Token], spoken: Sequence[Token], *, announced: bool) -> None:
    """Adds tokens; a trend counts only after a prior (较前), and denied it is no change."""
    for token in spoken:
        if token.kind != "change" or token.meaning is None or token.meaning.kind == "change":
            resolved.append(token)
        elif resolved and resolved[-1].kind == "deny":
            resolved[-1] = replace(token, value="unchanged")
        elif announced:
            resolved.append(token)
        elif len(spoken) == 1:
            resolved.append(replace(token, kind="word"))


def _spoken(tokens: Sequence[Token], index: int) -> list[Token]:
    token = tokens[index]
    kind = "normal" if token.kind == "normal" else "finding"
    named = [replace(token, kind=kind, value=id_) for id_ in _findings(tokens, index)]
    if token.value:
        return [*named, replace(token, kind="change")]
    return named or [replace(token, kind="word")]


def _findings(tokens: Sequence[Token], index: int) -> list[str]:
    meaning = tokens[index].meaning
    if meaning is None or meaning.row is None:
        return []
    row = meaning.row
    subjects = _group_before(tokens, index)
    said = [row.of[each] for each in subjects if each in row.of]
    if not said:
        said = [row.of[each] for each in _next_subject(tokens, index) if each in row.of]
    if said:
        return list(dict.fromkeys(each for each in said if each))
    if row.alone:
        return [] if _lies_elsewhere(tokens, index) else row.alone.split()
    return _as_before(tokens, index, set(row.of.values()))


def _as_before(tokens: Sequence[Token], index: int, meant: set[str]) -> list[str]:
    """The finding named before that a predicate takes up again: 胸腔积液 ... 左侧未见积液."""
    for token in reversed(tokens[:index][-40:]):
        if token.kind == "finding" and token.value in meant:
            return [token.value]
    return []


def _group_before(tokens: Sequence[Token], index: int) -> list[str]:
    """The nearest subject before, and those listed with it; up to the statement before."""
    group: list[str] = []
    joined = True
    for token in reversed(tokens[:index][-40:]):
        if token.kind in _JOINS:
            joined = True
        elif token.kind in _SUBJECTS or token.place:
            if group and not joined:
                break
            group.append(token.place or token.value)
            joined = False
        elif token.kind in _ENDS_A_GROUP and (group or token.kind != "verb"):
            break
    return group


def _next_subject(tokens: Sequence[Token], index: int) -> list[str]:
    group: list[str] = []
    for token in tokens[index + 1 : index + 9]:
        if token.kind in _SUBJECTS:
            group.append(token.value)
        elif group or token.kind in _ENDS_A_GROUP or token.kind in (*_JOINS, "with"):
            break
    return group


def _lies_elsewhere(tokens: Sequence[Token], index: int) -> bool:
    """True if an organ outside the chest is nearer than a place inside it."""
    return _meets_an_organ(reversed(tokens[:index][-20:]), _ENDS_BACKWARD) or _meets_an_organ(
        tokens[index + 1 : index + 9], _ENDS_FORWARD
    )


def _meets_an_organ(tokens: Iterable[Token], ends: frozenset[str]) -> bool:
    for token in tokens:
        if token.kind == "elsewhere":
            return True
        if token.kind in _SUBJECTS or token.place or token.kind in ends:
            return False
    return False
