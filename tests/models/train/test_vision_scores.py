"""AUC and thresholds on scores whose answer is known."""

import numpy as np
import pytest

from models.train.linear import fit_binary, fit_platt, fold_of
from models.train.vision_scores import auc_interval, choose_thresholds, pair_auc


def test_auc_of_a_perfect_a_reversed_and_a_constant_score():
    truth = np.array([False, False, True, True])
    one = np.full(4, "")
    assert pair_auc(np.array([0.1, 0.2, 0.3, 0.4]), truth, one) == 1.0
    assert pair_auc(np.array([0.4, 0.3, 0.2, 0.1]), truth, one) == 0.0
    assert pair_auc(np.zeros(4), truth, one) == 0.5


def test_a_score_that_only_knows_the_stratum_is_worth_nothing_within_it():
    strata = np.array(["AP"] * 50 + ["PA"] * 50)
    truth = np.array(([True] * 4 + [False]) * 10 + ([False] * 4 + [True]) * 10)
    scores = np.where(strata == "AP", 1.0, 0.0)
    assert pair_auc(scores, truth, np.full(100, "")) > 0.75
    assert pair_auc(scores, truth, strata) == 0.5


def test_no_pair_is_no_figure():
    strata = np.array(["case", "case", "control"])
    truth = np.array([True, True, False])
    patients = np.array(["a", "b", "c"])
    found = auc_interval(np.arange(3.0), truth, patients, strata)
    assert np.isnan(found.value)
    assert str(found) == "no pair to compare"


def test_the_interval_holds_the_figure_and_narrows_with_patients():
    rng = np.random.default_rng(0)

    def width(count: int) -> float:
        truth = rng.random(count) < 0.4
        scores = truth + rng.normal(size=count)
        patients = np.arange(count).astype(str)
        found = auc_interval(scores, truth, patients, np.full(count, ""))
        assert found.low < found.value < found.high
        return found.high - found.low

    assert width(600) < width(60)


def test_thresholds_keep_what_they_promise():
    rng = np.random.default_rng(1)
    truth = rng.random(2000) < 0.3
    chances = 1 / (1 + np.exp(-(2.5 * truth - 1.5 + rng.normal(size=2000))))
    found = choose_thresholds(chances, truth, 0.95, 0.95, 0.8)
    assert found.absent_below is not None
    assert found.present_above is not None
    assert (chances[truth] >= found.absent_below).mean() >= 0.95
    assert (chances[~truth] < found.present_above).mean() >= 0.95
    assert truth[chances >= found.present_above].mean() >= 0.8


def test_where_nothing_keeps_the_promise_present_is_never_said():
    rng = np.random.default_rng(2)
    found = choose_thresholds(rng.random(500), rng.random(500) < 0.1, 0.95, 0.95, 0.9)
    assert found.present_above is None


def test_a_linear_head_finds_the_direction_that_matters():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(500, 6)).astype(np.float32)
    found = fit_binary(features, features[:, 2] > 0.3, penalty=0.01)
    assert np.argmax(np.abs(found[:-1])) == 2


def test_scores_that_run_against_the_labels_are_not_calibrated():
    scores = np.linspace(-1, 1, 50)
    with pytest.raises(ValueError, match="against"):
        fit_platt(scores, scores < 0)


def test_a_patient_stays_in_one_fold():
    assert fold_of("nih-61") == fold_of("nih-61")
    assert {fold_of(f"nih-{number}") for number in range(100)} == {0, 1, 2, 3, 4}
