"""Words <-> token ids of the report decoder, and finding states -> the ids it is conditioned on.

Word level and plain Python: the vocabulary of chest reports is small, and a Triton stub should not
load a tokenizer library. `tokenizer.json` of the pack holds {"words": [...], "findings": [...]}.

Ids: 0 padding, 1 begin, 2 end, 3 unknown, then the other words, then for each finding its three
states (present, absent, not assessed).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.calibration import Decision

PAD, BEGIN, END, UNKNOWN = 0, 1, 2, 3
SPECIAL = ("<pad>", "<begin>", "<end>", "<unknown>")
STATES: tuple[Decision, ...] = ("present", "absent", "not assessed")
_WORD = re.compile(r"[a-z]+(?:[-'/][a-z]+)*|\d+(?:\.\d+)?|[.,;:()]")
_CLOSING = frozenset(".,;:)")


def split_words(text: str) -> list[str]:
    """Lower-case words and punctuation marks of `text`."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Vocabulary of one decoder. `ids` is the inverse of `words`."""

    words: tuple[str, ...]
    findings: tuple[str, ...]
    ids: Mapping[str, int]

    @property
    def size(self) -> int:
        """Number of ids, condition included."""
        return len(self.words) + len(STATES) * len(self.findings)

    def encode(self, text: str) -> list[int]:
        """Ids of the words of `text`, without begin and end."""
        return [self.ids.get(word, UNKNOWN) for word in split_words(text)]

    def condition(self, states: Mapping[str, Decision]) -> list[int]:
        """Ids that tell the decoder what it may say; findings not named are not assessed."""
        first = len(self.words)
        return [
            first + len(STATES) * row + STATES.index(states.get(finding, "not assessed"))
            for row, finding in enumerate(self.findings)
        ]

    def piece(self, previous: int, token: int) -> str:
        """What `token` adds to the text after `previous`; all pieces joined are the text."""
        if token < len(SPECIAL):
            return ""
        word = self.words[token]
        if previous == BEGIN:
            return word.capitalize()
        before = self.words[previous]
        if word in _CLOSING or before == "(":
            return word
        return " " + (word.capitalize() if before == "." else word)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, up to the first end."""
        text, previous = "", BEGIN
        for token in tokens:
            if token == END:
                break
            text += self.piece(previous, token)
            previous = token
        return text


def make_tokenizer(words: Sequence[str], findings: Sequence[str]) -> Tokenizer:
    """A tokenizer over `words` (special ones left out) and `findings`."""
    everything = (*SPECIAL, *words)
    return Tokenizer(
        words=everything,
        findings=tuple(findings),
        ids={word: number for number, word in enumerate(everything)},
    )


def load_tokenizer(path: Path) -> Tokenizer:
    """Reads `tokenizer.json` of a pack.

    Raises: ValueError if it is not one.
    """
    table = json.loads(path.read_text(encoding="utf-8"))
    try:
        return make_tokenizer(table["words"], table["findings"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: no tokenizer") from error


def save_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    """Writes `tokenizer.json`."""
    table = {
        "words": list(tokenizer.words[len(SPECIAL) :]),
        "findings": list(tokenizer.findings),
    }
    path.write_text(json.dumps(table, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
