"""Which findings deserve a head, and the head, calibration and thresholds of each that does.

Everything is chosen out of fold on the train and validation patients together: the official
validation split holds five effusions, too few to choose anything on. The test split is not seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.pack import Label
from models.train.linear import FOLDS, fit_binary, fit_platt, fold_of
from models.train.network import LinearHead
from models.train.radiographs import FINDINGS, Picture
from models.train.vision_scores import Interval, Thresholds, auc_interval, choose_thresholds

PENALTY = 1.0
"""0.3 and 1 are alike out of fold; on the 64-pixel films of other patients 1 is better."""

FEWEST = 40
WORTH_SAYING = 0.55
"""An interval that only just leaves out 0.5 is no reason to speak."""

SENSITIVITY, SPECIFICITY, PRECISION = 0.95, 0.95, 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """What the folds say about one finding; `thresholds` and `label` only where a head is kept."""

    finding: str
    positives: int
    within_strata: Interval | None
    thresholds: Thresholds | None
    label: Label | None


@dataclass(frozen=True, slots=True)
class Development:
    """Features of the train and validation radiographs, as stored and mirrored: float32 [N, C]."""

    pictures: list[Picture]
    features: NDArray[np.float32]
    mirrored: NDArray[np.float32]


def truth_of(pictures: list[Picture], finding: str) -> NDArray[np.bool_]:
    """For each picture, whether a label means `finding`: bool [N]."""
    return np.array([bool(picture.labels & FINDINGS[finding]) for picture in pictures])


def strata_of(pictures: list[Picture]) -> NDArray[np.str_]:
    """View and half of the pick (with "Pneumonia" or not) of each picture.

    The pick was made of two halves and most findings stand in one of them, so a score that only
    tells the halves apart looks good. Within these strata it does not.
    """
    return np.array(
        [f"{p.view} {'case' if 'Pneumonia' in p.labels else 'control'}" for p in pictures]
    )


def try_finding(finding: str, data: Development) -> Trial:
    """Out-of-fold AUC within the strata; thresholds if its interval stays above 0.55."""
    truth = truth_of(data.pictures, finding)
    positives = int(truth.sum())
    strata = strata_of(data.pictures)
    if _comparable(truth, strata) < FEWEST:
        return Trial(finding, positives, None, None, None)
    scores = _out_of_fold(data, truth)
    patients = np.array([picture.patient for picture in data.pictures])
    interval = auc_interval(scores, truth, patients, strata)
    if interval.low <= WORTH_SAYING:
        return Trial(finding, positives, interval, None, None)
    slope, offset = fit_platt(scores, truth)
    chances = 1.0 / (1.0 + np.exp(-(slope * scores + offset)))
    chosen = choose_thresholds(chances, truth, SENSITIVITY, SPECIFICITY, PRECISION)
    label = Label(finding, slope, offset, chosen.absent_below, chosen.present_above)
    return Trial(finding, positives, interval, chosen, label)


def _comparable(truth: NDArray[np.bool_], strata: NDArray[np.str_]) -> int:
    """Positives that share a stratum with at least as many negatives as a head needs positives."""
    return sum(
        int(truth[strata == stratum].sum())
        for stratum in np.unique(strata)
        if (~truth[strata == stratum]).sum() >= FEWEST
    )


def fit_head(findings: list[str], data: Development) -> LinearHead:
    """The final weights, from every development patient."""
    both = np.concatenate([data.features, data.mirrored])
    found = [
        fit_binary(both, np.tile(truth_of(data.pictures, finding), 2), PENALTY)
        for finding in findings
    ]
    table = np.stack(found)
    return LinearHead(table[:, :-1], table[:, -1])


def _out_of_fold(data: Development, truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    folds = np.array([fold_of(picture.patient) for picture in data.pictures])
    scores = np.zeros(len(truth))
    for fold in range(FOLDS):
        inside, outside = folds != fold, folds == fold
        both = np.concatenate([data.features[inside], data.mirrored[inside]])
        found = fit_binary(both, np.tile(truth[inside], 2), PENALTY)
        read = (data.features[outside] + data.mirrored[outside]) / 2  # as the exported graph does
        scores[outside] = read @ found[:-1] + found[-1]
    return scores
