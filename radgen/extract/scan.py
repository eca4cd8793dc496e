"""Text -> tokens: the longest known phrase at every place, in one pass."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from radgen.extract.clean import is_chinese, is_latin
from radgen.extract.lexicon import Lexicon, Meaning, headings, key_at, longest_heading

_UNIT = r"\s?(mm|cm|毫米|厘米|公分)(?![a-z])"
_NUMBER = r"\d{1,4}(?:\.\d{1,3})?"
_LENGTH = re.compile(
    rf"({_NUMBER})(?:\s?(?:mm|cm)?\s?(?:x|\*|-|to|by|至|乘)\s?({_NUMBER}))?"
    rf"(?:\s?(?:mm|cm)?\s?(?:x|\*|by)\s?({_NUMBER}))?{_UNIT}"
)
_FROM_LANDMARK = re.compile(
    r"\s?(?:above|below|from|proximal|distal|superior|inferior|beyond|层厚|以上)"
)
_COUNTED = re.compile(r"(\d{1,2})\s?(?:枚|个|处)")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_MEASURED = re.compile(r"[\s:]{0,2}(?:of|is|was|约|为)?\s?(-?\d+(?:\.\d+)?)")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_ABBREVIATIONS = ("vs", "approx", "dr", "e.g", "i.e", "cf", "no")
_PUNCTUATION = {
    " ": "filler",
    ",": "comma",
    "，": "comma",
    "、": "list",
    ":": "colon",
    "(": "open",
    ")": "close",
    "/": "or",
    ";": "end",
    "。": "end",
    "!": "end",
    "?": "end",
    "\n": "end",
    "；": "end",
}
_MILLIMETRES = {"mm": 1.0, "毫米": 1.0, "cm": 10.0, "厘米": 10.0, "公分": 10.0}


@dataclass(frozen=True, slots=True)
class Token:
    """text[start:end] and what it means.

    size_mm: of a length, or of a measured diameter. Kinds beyond those of a Meaning: comma, colon,
    open, close, end, size, diameter, word (one that nothing here knows).
    """

    kind: str
    start: int
    end: int
    value: str = ""
    place: str = ""
    size_mm: float | None = None
    meaning: Meaning | None = None


def scan(text: str, words: Lexicon) -> Iterator[Token]:
    """The tokens of `text` (cleaned), in order; fillers are left out."""
    at = 0
    while at < len(text):
        token = _token(text, at, words)
        at = max(token.end, at + 1)
        if token.kind != "filler":
            yield token


def _token(text: str, at: int, words: Lexicon) -> Token:
    character = text[at]
    if character in _PUNCTUATION:
        return Token(_PUNCTUATION[character], at, at + 1)
    if character == ".":
        return Token(_stop(text, at), at, at + 1)
    known = _heading(text, at) or _phrase(text, at, words)
    if known:
        return known
    is_number = character.isdigit() and character.isascii()
    return _number(text, at) if is_number else _unknown(text, at)


def _heading(text: str, at: int) -> Token | None:
    """A heading stands at the beginning of a line or sentence and before a colon or line end."""
    if text[max(at - 2, 0) : at].rstrip(" ")[-1:] not in ("", "\n", ".", "。", "[", ";", "*", "#"):
        return None
    known = headings()
    for length in range(min(longest_heading(), len(text) - at), 0, -1):
        value = known.get(text[at : at + length])
        if value and text[at + length : at + length + 2].lstrip(" ")[:1] in ("", ":", "\n", "]"):
            return Token("heading", at, at + length + 1, value)
    return None


def _number(text: str, at: int) -> Token:
    length = _LENGTH.match(text, at)
    if length and text[max(at - 1, 0)] != "-":
        if _FROM_LANDMARK.match(text, length.end()):
            return Token("word", at, length.end())
        return Token("size", at, length.end(), size_mm=_largest(length))
    counted = _COUNTED.match(text, at)
    if counted:
        return Token("count", at, counted.end(), counted.group(1))
    digits = _DIGITS.match(text, at)
    end = digits.end() if digits else at + 1
    return Token("digits", at, end, text[at:end])


def _largest(length: re.Match[str]) -> float | None:
    largest = max(float(each) for each in length.groups()[:3] if each)
    return round(largest * _MILLIMETRES[length.group(4)], 3) or None


def _stop(text: str, at: int) -> str:
    """A full stop ends a sentence, unless it belongs to a number or an abbreviation."""
    before, after = text[max(at - 6, 0) : at], text[at + 1 : at + 2]
    if before[-1:].isdigit() and after.isdigit():
        return "filler"
    if before.endswith(_ABBREVIATIONS[:-1]) and not before[-3:].startswith("."):
        word = re.split(r"[^a-z.]", before)[-1]
        return "filler" if word in _ABBREVIATIONS else "end"
    return "end"


def _phrase(text: str, at: int, words: Lexicon) -> Token | None:
    if at and is_latin(text[at]) and is_latin(text[at - 1]):
        return None
    for phrase, meaning in words.get(key_at(text, at), ()):
        end = at + len(phrase)
        if not text.startswith(phrase, at) or _inside_word(text, end):
            continue
        if meaning.kind == "quantity":
            measured = _quantity(text, at, end, meaning)
            if measured is None:
                continue
            return measured
        return Token(meaning.kind, at, end, meaning.value, meaning.place, meaning=meaning)
    return None


def _inside_word(text: str, end: int) -> bool:
    return end < len(text) and is_latin(text[end]) and is_latin(text[end - 1])


def _quantity(text: str, start: int, end: int, meaning: Meaning) -> Token | None:
    """A measured value is no finding, whatever its name holds; a diameter is a size."""
    value = _MEASURED.match(text, end)
    if value is None:
        return None
    length = _LENGTH.match(text, value.start(1)) if meaning.value == "lesion-diameter" else None
    if length:
        return Token("diameter", start, length.end(), size_mm=_largest(length))
    return Token("measured", start, value.end())


def _unknown(text: str, at: int) -> Token:
    word = _WORD.match(text, at)
    if word:
        return Token("word", at, word.end())
    return Token("word" if is_chinese(text[at]) else "filler", at, at + 1)
