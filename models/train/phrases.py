"""Plain sentences for every finding and state, in our own words.

Real reports seldom say "present" without side or size, which a finding state cannot carry. These
sentences let the decoder say every state; real sentences teach it how reports group and order them.
"""

from collections.abc import Mapping

import numpy as np

from models.calibration import Decision
from models.train.statements import FINDINGS

NAMES: Mapping[str, str] = {
    "lung-opacity": "focal airspace opacity",
    "consolidation": "consolidation",
    "atelectasis": "atelectasis",
    "pulmonary-edema": "pulmonary edema",
    "emphysema": "emphysema",
    "fibrosis": "fibrosis",
    "lung-nodule-mass": "nodule or mass",
    "pleural-effusion": "pleural effusion",
    "pleural-thickening": "pleural thickening",
    "pneumothorax": "pneumothorax",
    "fracture": "fracture",
    "hernia": "hiatal hernia",
    "device": "device",
}

_PRESENT: Mapping[str, str] = {
    "cardiomegaly": "the heart is enlarged",
    "device": "a device is present",
    "lung-opacity": "there is airspace opacity",
    "consolidation": "there is consolidation",
    "atelectasis": "there is atelectasis",
    "pulmonary-edema": "there is pulmonary edema",
    "emphysema": "there is emphysema",
    "fibrosis": "there is pulmonary fibrosis",
    "lung-nodule-mass": "there is a pulmonary nodule or mass",
    "pleural-effusion": "there is a pleural effusion",
    "pleural-thickening": "there is pleural thickening",
    "pneumothorax": "there is a pneumothorax",
    "fracture": "there is a fracture",
    "hernia": "there is a hiatal hernia",
}
"""One each: with two, a greedy decoder begins one and ends with the other."""

_HEART = ("heart size is normal", "the heart is normal in size", "the heart is not enlarged")
_BEGINNINGS = ("no", "there is no", "no evidence of")


def say_absent(findings: list[str], rng: np.random.Generator) -> list[str]:
    """Sentences that say all of `findings` are not there, grouped as reports group them."""
    said = [str(rng.choice(_HEART))] if "cardiomegaly" in findings else []
    rest = [finding for finding in findings if finding != "cardiomegaly"]
    while rest:
        count = min(len(rest), int(rng.integers(1, 4)))
        said.append(_negated([NAMES[finding] for finding in rest[:count]], rng))
        rest = rest[count:]
    return said


def _negated(names: list[str], rng: np.random.Generator) -> str:
    *first, last = names
    joined = f"{', '.join(first)} or {last}" if first else last
    return f"{rng.choice(_BEGINNINGS)} {joined}"


def compose(states: Mapping[str, Decision], rng: np.random.Generator) -> list[str]:
    """Sentences that state exactly `states`, present findings first within their organ's order."""
    present = [_PRESENT[f] for f in FINDINGS if states.get(f) == "present"]
    absent = say_absent([f for f in FINDINGS if states.get(f) == "absent"], rng)
    return [*present, *absent]
