"""AUC with intervals by patient, and thresholds that keep what they promise."""

from dataclasses import dataclass
from math import isnan

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

DRAWS = 1000
SEED = 20261123

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval over patients."""

    value: float
    low: float
    high: float

    @override
    def __str__(self) -> str:
        if isnan(self.value):
            return "no pair to compare"
        return f"{self.value:.2f} ({self.low:.2f}-{self.high:.2f})"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Two thresholds on the calibrated probability, each None where nothing keeps the promise.

    The figures are those of the set they were chosen on.
    """

    absent_below: float | None
    present_above: float | None
    sensitivity_kept: float
    specificity_kept: float
    precision: float
    answered: float


def pair_auc(scores: Floats, truth: Bools, strata: NDArray[np.str_]) -> float:
    """Share of positive-negative pairs of one stratum that are ranked right; NaN without a pair.

    One stratum for all gives the usual AUC; the view as stratum takes the view's help away.
    """
    right = pairs = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        positive, negative = scores[inside & truth], scores[inside & ~truth]
        if len(positive) and len(negative):
            difference = positive[:, None] - negative[None]
            right += float((difference > 0).sum() + 0.5 * (difference == 0).sum())
            pairs += difference.size
    return right / pairs if pairs else float("nan")


def auc_interval(
    scores: Floats, truth: Bools, patients: NDArray[np.str_], strata: NDArray[np.str_]
) -> Interval:
    """AUC within `strata`, with an interval from drawing patients."""
    rng = np.random.default_rng(SEED)
    names, owner = np.unique(patients, return_inverse=True)
    rows = [np.flatnonzero(owner == number) for number in range(len(names))]
    values = []
    for _ in range(DRAWS):
        drawn = np.concatenate([rows[n] for n in rng.integers(len(names), size=len(names))])
        values.append(pair_auc(scores[drawn], truth[drawn], strata[drawn]))
    value = pair_auc(scores, truth, strata)
    if np.isnan(value):
        return Interval(value, value, value)
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return Interval(value, float(low), float(high))


def choose_thresholds(
    chances: Floats, truth: Bools, sensitivity: float, specificity: float, precision: float
) -> Thresholds:
    """Widest answers that keep their promise on this set.

    absent_below: the highest value that still leaves `sensitivity` of the positives above it.
    present_above: the lowest value with `specificity` and `precision`, ten true positives at least.
    """
    positives = np.sort(chances[truth])
    missed = int(np.floor((1.0 - sensitivity) * len(positives)))
    absent = float(positives[missed])
    present = None
    hits = alarms = 0
    for value in np.unique(chances):
        above = chances >= value
        hits, alarms = int((above & truth).sum()), int((above & ~truth).sum())
        quiet = 1.0 - alarms / int((~truth).sum())
        if quiet >= specificity and hits >= 10 and hits / (hits + alarms) >= precision:
            present = float(value)
            break
    below = chances < absent
    answered = below.sum() + (0 if present is None else (chances >= present).sum())
    return Thresholds(
        absent_below=absent,
        present_above=present,
        sensitivity_kept=float(1.0 - (below & truth).sum() / truth.sum()),
        specificity_kept=float("nan") if present is None else 1.0 - alarms / int((~truth).sum()),
        precision=float("nan") if present is None else hits / (hits + alarms),
        answered=float(answered / len(chances)),
    )
