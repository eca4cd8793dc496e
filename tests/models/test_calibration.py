"""Scores become probabilities, and probabilities answers, in one direction only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import calibrate, decide, judge_picture
from models.pack import Gate, Label, Pack

LABEL = Label("pleural-effusion", 1.5, -0.5, absent_below=0.2, present_above=0.8)
ORDER = {"absent": 0, "not assessed": 1, "present": 2}
GATE = Gate(("frontal", "lateral"), "frontal", 0.8)


@given(st.floats(-500, 500, width=32), st.floats(-500, 500, width=32))
def test_a_higher_score_never_means_a_lower_probability_or_a_weaker_answer(one, other):
    low, high = calibrate(
        np.array([[min(one, other)], [max(one, other)]], dtype=np.float32), (LABEL,)
    )[:, 0]
    assert 0.0 <= low <= high <= 1.0
    assert ORDER[decide(low, LABEL)] <= ORDER[decide(high, LABEL)]


@pytest.mark.parametrize(
    ("probability", "answer"),
    [(0.19, "absent"), (0.2, "not assessed"), (0.79, "not assessed"), (0.8, "present")],
)
def test_between_the_thresholds_nothing_is_said(probability: float, answer: str):
    assert decide(probability, LABEL) == answer


def test_a_label_without_thresholds_is_never_answered():
    silent = Label("hernia", 1.0, 0.0)
    assert {decide(p, silent) for p in (0.0, 0.5, 1.0)} == {"not assessed"}


def test_every_label_of_the_shipped_pack_leaves_room_for_not_assessed(pack: Pack):
    for label in pack.labels:
        middle = label.absent_below
        assert middle is not None
        assert decide(middle, label) == "not assessed"


def test_a_picture_is_accepted_only_when_surely_of_the_right_kind():
    assert judge_picture(np.array([5.0, 0.0], dtype=np.float32), GATE).accepted
    assert not judge_picture(np.array([0.5, 0.0], dtype=np.float32), GATE).accepted
    verdict = judge_picture(np.array([0.0, 5.0], dtype=np.float32), GATE)
    assert (verdict.kind, verdict.accepted) == ("lateral", False)
