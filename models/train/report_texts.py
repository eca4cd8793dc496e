"""Training text of the report decoder: every example's condition is exactly what its text says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.calibration import Decision
from models.train.phrases import compose
from models.train.statements import FINDINGS, is_usable, report_states, sentences, statements

SHARE_REAL = 0.4
SHARE_SILENT = 0.03
MOST_PRESENT = 0.8


@dataclass(frozen=True, slots=True)
class Example:
    """states: finding -> present or absent, all others not assessed. text: lower case."""

    states: dict[str, Decision]
    text: str


def read_reports(data: Path, split: str) -> list[str]:
    """Findings sections of one split of the Indiana collection (R2Gen's split)."""
    path = data / "iu_xray_text" / "r2gen_annotation.json"
    rows = json.loads(path.read_text(encoding="utf-8"))[split]
    return [str(row["report"]) for row in rows]


def usable_parts(reports: Sequence[str]) -> list[list[str]]:
    """For each report the sentences a decoder may learn, in order; reports without are left out."""
    kept = [[part for part in sentences(text) if is_usable(part)] for text in reports]
    return [parts for parts in kept if parts]


def make_examples(parts: list[list[str]], count: int, rng: np.random.Generator) -> list[Example]:
    """`count` examples: real sentences with some removed, composed ones, and silence.

    Where sentences are removed, what they stated becomes "not assessed": so the decoder learns to
    be silent about it.
    """
    return [_make(parts, rng) for _ in range(count)]


def _make(parts: list[list[str]], rng: np.random.Generator) -> Example:
    draw = rng.uniform()
    if draw < SHARE_SILENT:
        return Example({}, "")
    if draw < SHARE_SILENT + SHARE_REAL:
        return _real(parts[int(rng.integers(len(parts)))], rng)
    assessed, share = rng.uniform(), rng.uniform(0.0, MOST_PRESENT)
    states: dict[str, Decision] = {
        finding: "present" if rng.uniform() < share else "absent"
        for finding in FINDINGS
        if rng.uniform() < assessed
    }
    return Example(states, join(compose(states, rng)))


def _real(report: list[str], rng: np.random.Generator) -> Example:
    keep = rng.uniform(0.4, 1.3)
    chosen = [part for part in report if rng.uniform() < keep]
    fresh: list[str] = []
    for part in chosen:  # a second sentence about the same finding adds nothing, or contradicts
        if not statements(part).keys() & report_states(fresh).keys():
            fresh.append(part)
    return Example(report_states(fresh), join(fresh))


def join(parts: list[str]) -> str:
    """Sentences as one text."""
    return " ".join(f"{part}." for part in parts)
