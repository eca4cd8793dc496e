"""Linear heads by penalised logistic regression, and folds that never split a patient."""

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from models.train.network import LinearHead

FOLDS = 5
STEPS = 300

Floats = NDArray[np.float64]


def fold_of(patient: str) -> int:
    """A fixed fold in 0 .. 4 for each patient."""
    return int(hashlib.sha256(patient.encode()).hexdigest()[:8], 16) % FOLDS


def fit_binary(features: NDArray[np.float32], truth: NDArray[np.bool_], penalty: float) -> Floats:
    """Weights and offset of one label.

    features: float32 [N, C]; standardised inside, the result is for the features as given.
    truth: bool [N].
    Returns: float64 [C + 1], the offset last.
    """
    scaled, mean, deviation = _standardise(features)
    target = truth.astype(np.float64)

    def loss(values: Floats) -> tuple[float, Floats]:
        weights, offset = values[:-1], values[-1]
        scores = scaled @ weights + offset
        error = _sigmoid(scores) - target
        value = np.mean(np.logaddexp(0.0, scores) - target * scores)
        gradient = np.append(scaled.T @ error / len(target) + penalty * weights, error.mean())
        return float(value + 0.5 * penalty * weights @ weights), gradient

    start = np.zeros(features.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    weights = found[:-1] / deviation
    return np.append(weights, found[-1] - weights @ mean)


def fit_kinds(
    features: NDArray[np.float32], truth: NDArray[np.int64], kinds: int, penalty: float
) -> LinearHead:
    """One linear score for each of `kinds` classes; every class weighs the same.

    truth: int64 [N], in 0 .. kinds - 1.
    """
    scaled, mean, deviation = _standardise(features)
    target = np.eye(kinds)[truth]  # [N, kinds]
    balance = (1.0 / np.maximum(target.sum(axis=0), 1.0))[truth] / kinds  # [N], sums to 1

    def loss(values: Floats) -> tuple[float, Floats]:
        table = values.reshape(kinds, -1)
        scores = scaled @ table[:, :-1].T + table[:, -1]
        logs = scores - logsumexp(scores, axis=1, keepdims=True)
        error = balance[:, None] * (np.exp(logs) - target)
        gradient = np.column_stack([error.T @ scaled + penalty * table[:, :-1], error.sum(axis=0)])
        value = -np.sum(balance[:, None] * target * logs)
        return float(value + 0.5 * penalty * np.sum(table[:, :-1] ** 2)), gradient.ravel()

    start = np.zeros(kinds * (features.shape[1] + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    table = found.reshape(kinds, -1)
    weights = table[:, :-1] / deviation
    return LinearHead(weights, table[:, -1] - weights @ mean)


def fit_platt(scores: Floats, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset that turn scores into calibrated probabilities.

    Raises: ValueError if higher scores do not mean more positives.
    """
    slope, offset = fit_binary(scores.astype(np.float32)[:, None], truth, penalty=1e-4)
    if slope <= 0:
        raise ValueError("scores run against the labels")
    return float(slope), float(offset)


def _standardise(features: NDArray[np.float32]) -> tuple[Floats, Floats, Floats]:
    values = features.astype(np.float64)
    mean, deviation = values.mean(axis=0), values.std(axis=0) + 1e-3
    return (values - mean) / deviation, mean, deviation


def _sigmoid(scores: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scores, -60.0, 60.0))))
