"""Word overlap, against values worked out by hand."""

from math import exp

import pytest

from models.train.text_scores import corpus_bleu, mean_rouge_l

HEART = ["the", "heart", "is", "normal"]
SIZE = ["the", "heart", "size", "is", "normal"]


def test_a_text_against_itself_is_one():
    assert corpus_bleu([SIZE], [SIZE], 4) == pytest.approx(1.0)
    assert mean_rouge_l([SIZE], [SIZE]) == pytest.approx(1.0)


def test_nothing_in_common_is_zero():
    assert corpus_bleu([["no"]], [SIZE], 1) == 0.0
    assert mean_rouge_l([["no"]], [SIZE]) == 0.0


def test_bleu_1_is_precision_times_the_penalty_for_being_short():
    assert corpus_bleu([HEART], [SIZE], 1) == pytest.approx(exp(1 - 5 / 4))


def test_a_repeated_word_counts_once():
    assert corpus_bleu([["heart"] * 5], [SIZE], 1) == pytest.approx(1 / 5)


def test_rouge_l_weighs_recall_with_beta():
    precision, recall, beta = 1.0, 4 / 5, 1.2**2
    wanted = (1 + beta) * precision * recall / (recall + beta * precision)
    assert mean_rouge_l([HEART], [SIZE]) == pytest.approx(wanted)
