"""What a score means: calibrated probability, present / absent / not assessed, kind of picture.

Pure numpy; the numbers come from the pack. Between the two thresholds of a label the answer is
"not assessed": a program that must always choose invents.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.pack import Gate, Label

Decision = Literal["present", "absent", "not assessed"]


@dataclass(frozen=True, slots=True)
class PictureVerdict:
    """What kind of picture the encoder saw.

    kind: the likeliest of the gate's kinds.
    probability: of that kind, in [0, 1].
    accepted: True where the pack may read the picture.
    """

    kind: str
    probability: float
    accepted: bool


def calibrate(logits: NDArray[np.float32], labels: tuple[Label, ...]) -> NDArray[np.float64]:
    """Calibrated probabilities.

    logits: float32 [..., K], in the order of `labels`.
    Returns: float64 [..., K], values in [0, 1].
    """
    slopes = np.array([label.slope for label in labels])
    offsets = np.array([label.offset for label in labels])
    scores = np.clip(logits.astype(np.float64) * slopes + offsets, -60.0, 60.0)
    return np.asarray(1.0 / (1.0 + np.exp(-scores)), dtype=np.float64)


def decide(probability: float, label: Label) -> Decision:
    """Reads one calibrated probability with the two thresholds of its label."""
    if label.present_above is not None and probability >= label.present_above:
        return "present"
    if label.absent_below is not None and probability < label.absent_below:
        return "absent"
    return "not assessed"


def judge_picture(scores: NDArray[np.float32], gate: Gate) -> PictureVerdict:
    """Reads one row of GATE.

    scores: float32 [G], logits in the order of `gate.kinds`.
    """
    shifted = np.exp(scores.astype(np.float64) - float(np.max(scores)))
    shares = shifted / shifted.sum()
    best = int(np.argmax(shares))
    accepted = gate.kinds[best] == gate.accepted and shares[best] >= gate.minimum_probability
    return PictureVerdict(gate.kinds[best], float(shares[best]), bool(accepted))
