from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radgen.completeness import Arriving, Complete, CompletenessPolicy, Waiting, decide

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = CompletenessPolicy(longest_wait_s=1000, released_s=10)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def arriving(modality="CT", received=10, expected=None, released_at=None, last=0.0) -> Arriving:
    return Arriving(modality, NOON, after(last), received, expected, released_at)


def test_a_count_that_agrees_completes_without_waiting_for_the_timer():
    decision = decide(arriving(expected=10), after(1), POLICY)
    assert decision == Complete("count agrees: 10 of 10 images", 0)


def test_a_count_that_agrees_is_not_believed_while_images_stream_in():
    decision = decide(arriving(expected=10), after(0.5), POLICY)
    assert decision == Waiting(after(1), "count agrees: 10 of 10 images, letting arrivals settle")


def test_a_missing_image_waits_however_long_the_silence():
    decision = decide(arriving(expected=11), after(999), POLICY)
    assert decision == Waiting(after(1000), "1 of 11 images missing")


def test_the_longest_wait_ends_in_partial_that_says_what_is_missing():
    decision = decide(arriving(expected=12), after(1000), POLICY)
    assert isinstance(decision, Complete)
    assert decision.missing == 2
    assert "2 of 12 images missing" in decision.reason


def test_the_longest_wait_without_a_count_says_so():
    decision = decide(arriving(last=995), after(1000), POLICY)
    assert isinstance(decision, Complete)
    assert decision.missing is None
    assert "no count" in decision.reason


@pytest.mark.parametrize(("modality", "quiet"), [("DX", 60), ("CT", 180), ("MR", 600), ("US", 120)])
def test_silence_completes_by_modality(modality, quiet):
    study = arriving(modality)
    assert isinstance(decide(study, after(quiet - 1), POLICY), Waiting)
    done = decide(study, after(quiet), POLICY)
    assert isinstance(done, Complete)
    assert done.missing is None


def test_a_released_association_shortens_the_silence():
    study = arriving(released_at=after(1))
    assert isinstance(decide(study, after(9), POLICY), Waiting)
    done = decide(study, after(10), POLICY)
    assert isinstance(done, Complete)
    assert "released" in done.reason


def test_a_release_before_the_last_image_does_not_shorten():
    study = arriving(released_at=after(1), last=5)
    assert isinstance(decide(study, after(20), POLICY), Waiting)


def test_an_archive_that_says_zero_is_not_believed():
    assert isinstance(decide(arriving(expected=0), after(1), POLICY), Waiting)


@given(
    received=st.integers(1, 500),
    expected=st.one_of(st.none(), st.integers(0, 600)),
    silence=st.floats(0, 5000),
)
def test_waiting_names_a_later_moment_at_which_the_answer_may_change(received, expected, silence):
    now = after(silence)
    decision = decide(arriving(received=received, expected=expected), now, POLICY)
    if isinstance(decision, Waiting):
        assert decision.until > now
    else:
        assert decision.reason
