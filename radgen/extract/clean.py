"""Report text made plain, with the way back to the characters it came from.

Full-width letters, kinds of dashes and spaces become one; control, direction and invisible
characters vanish, so that they can neither hide a word nor turn a side.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_SAME = {
    "×": "x",
    "✕": "x",
    "﹣": "-",
    "’": "'",
    "‘": "'",
    "【": "[",
    "】": "]",
    "～": "-",
    "~": "-",
}
_INVISIBLE = {"Cc", "Cf", "Mn", "Me"}


@dataclass(frozen=True, slots=True)
class CleanText:
    """text[i] came from the input at offsets[i]; offsets has one more, the input's length."""

    text: str
    offsets: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets into the input of text[start:end]."""
        return self.offsets[start], self.offsets[end - 1] + 1


def clean(text: str) -> CleanText:
    """Lower case, one space for many, no hyphens inside English words; linear in time."""
    kept: list[str] = []
    offsets: list[int] = []
    for index, raw in enumerate(text):
        character = _plain(raw)
        if not character:
            continue
        if kept and character.isspace() and kept[-1].isspace():
            kept[-1] = "\n" if "\n" in (character, kept[-1]) else " "
            continue
        kept.append(character)
        offsets.append(index)
    _soften(kept, [text[at].islower() for at in offsets])
    pairs = [(each, at) for each, at in zip(kept, offsets, strict=True) if each]
    return CleanText("".join(each for each, _ in pairs), (*(at for _, at in pairs), len(text)))


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    if character in _BREAKS:
        return "\n"
    if character.isspace():
        return " "
    if unicodedata.category(character) in _INVISIBLE:
        return ""
    if unicodedata.category(character) == "Pd":
        return "-"
    folded = unicodedata.normalize("NFKC", _SAME.get(character, character)).lower()
    return folded if len(folded) == 1 and not folded.isspace() else character


def _soften(kept: list[str], lower: list[bool]) -> None:
    """Undoes wrapped lines, hyphens inside words and blanks between Chinese characters."""
    for index in range(1, len(kept) - 1):
        before, here, after = kept[index - 1], kept[index], kept[index + 1]
        if here == "\n" and _is_wrapped(before, lower[index + 1]):
            kept[index] = here = " "
        if here == "-" and is_latin(before) and is_latin(after):
            kept[index] = " "
        elif here == " " and is_chinese(before) and is_chinese(after):
            kept[index] = ""


def _is_wrapped(before: str, next_is_lower: bool) -> bool:  # noqa: FBT001 - a fact, no switch
    return before in ",、" or (next_is_lower and before not in ".:;!?。])")


def is_latin(character: str) -> bool:
    """A letter of an English word."""
    return "a" <= character <= "z"


def is_chinese(character: str) -> bool:
    """A Chinese character; punctuation is none."""
    return "\u3400" <= character <= "\u9fff"
