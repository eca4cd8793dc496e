"""A text that lost a negation or swapped a side never leaves."""

from dataclasses import replace

import pytest

from radgen.compose.compose import compose
from radgen.domain.errors import UnfaithfulTextError
from radgen.domain.finding import (
    Certainty,
    Finding,
    FindingStructure,
    PackIdentity,
    Presence,
    Side,
    Source,
)
from radgen.domain.report import Language
from radgen.pipeline.read_back import check_texts

STRUCTURE = FindingStructure(
    "DX",
    "CHEST",
    PackIdentity("chest", "1.0.0", "a" * 64),
    (
        Finding(
            "pleural-effusion",
            Presence.PRESENT,
            Source.CLASSIFIER,
            Certainty.PROBABLE,
            Side.RIGHT,
        ),
        Finding("pneumothorax", Presence.ABSENT, Source.CLASSIFIER),
        Finding("atelectasis", Presence.NOT_ASSESSED, Source.RULE, reason="no-model"),
    ),
)
SWAPS = {
    Language.ZH: (("右", "左"), ("未见气胸", "见气胸"), ("胸腔积液", "心包积液")),
    Language.EN: (("right", "left"), ("No ", "Definite "), ("effusion", "thickening")),
}


def changed(text, old, new):
    sections = tuple(
        replace(
            part,
            sentences=tuple(
                replace(each, text=each.text.replace(old, new)) for each in part.sentences
            ),
        )
        for part in text.sections
    )
    return replace(text, sections=sections)


def test_what_the_composer_writes_is_what_was_found():
    check_texts(STRUCTURE, compose(STRUCTURE))
    check_texts(replace(STRUCTURE, findings=()), compose(replace(STRUCTURE, findings=())))


@pytest.mark.parametrize(
    ("language", "old", "new"), [(lang, *pair) for lang, pairs in SWAPS.items() for pair in pairs]
)
def test_a_changed_word_is_found_in_either_language(language, old, new):
    (text,) = compose(STRUCTURE, (language,))
    wrong = changed(text, old, new)
    assert wrong != text
    with pytest.raises(UnfaithfulTextError, match=language):
        check_texts(STRUCTURE, [wrong])
