"""The lexicon reads plain chest sentences, and lets no invented detail into the training text."""

import numpy as np
import pytest

from models.train.report_texts import make_examples
from models.train.statements import is_usable, report_states, sentences, statements


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("there is no pleural effusion", {"pleural-effusion": "absent"}),
        (
            "no pneumothorax or pleural effusion",
            {"pneumothorax": "absent", "pleural-effusion": "absent"},
        ),
        ("the heart is enlarged", {"cardiomegaly": "present"}),
        ("heart size within normal limits", {"cardiomegaly": "absent"}),
        ("the lungs are clear", {"lung-opacity": "absent"}),
        ("small left pleural effusion", {"pleural-effusion": "present"}),
        ("the trachea is midline", {}),
    ],
)
def test_a_sentence_is_read(sentence: str, said: dict[str, str]):
    assert statements(sentence) == said


@pytest.mark.parametrize(
    "sentence",
    [
        "small pleural effusion",
        "right pneumothorax",
        "no large pleural effusion",
        "atelectasis in the lower lobe",
        "stable cardiomegaly",
        "possible consolidation",
        "no acute bony abnormality",
        "heart and mediastinum normal",
        "the xxxx are clear",
    ],
)
def test_a_sentence_that_says_more_than_a_state_is_not_learnt_from(sentence: str):
    assert not is_usable(sentence)


def test_the_condition_of_every_example_is_what_its_text_says():
    parts = [
        ["no pneumothorax or pleural effusion", "heart size is normal"],
        ["there is emphysema"],
    ]
    for example in make_examples(parts, 300, np.random.default_rng(0)):
        assert report_states(sentences(example.text)) == example.states


def test_some_examples_are_silent():
    examples = make_examples([["heart size is normal"]], 300, np.random.default_rng(0))
    assert any(not example.states and not example.text for example in examples)
