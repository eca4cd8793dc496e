"""Ids and words are two writings of one text."""

from pathlib import Path

import pytest

from models.tokenizer import BEGIN, END, UNKNOWN, load_tokenizer, make_tokenizer, save_tokenizer

TOKENIZER = make_tokenizer(
    ["the", "heart", "is", "normal", ".", ",", "no", "effusion", "or", "edema"],
    ["pleural-effusion", "pulmonary-edema"],
)


def test_a_text_of_known_words_comes_back_with_capitals_and_spaces():
    text = "The heart is normal. No effusion, edema or effusion."
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_pieces_joined_are_the_text():
    tokens = TOKENIZER.encode("the heart is normal. no effusion.")
    previous, text = BEGIN, ""
    for token in tokens:
        text += TOKENIZER.piece(previous, token)
        previous = token
    assert text == TOKENIZER.decode([*tokens, END, *tokens])


def test_an_unknown_word_is_one_id_and_no_text():
    assert TOKENIZER.encode("zebra") == [UNKNOWN]
    assert TOKENIZER.decode([UNKNOWN]) == ""


def test_every_state_of_every_finding_has_its_own_id():
    ids = {
        token
        for finding in TOKENIZER.findings
        for state in ("present", "absent", "not assessed")
        for token in TOKENIZER.condition({finding: state})
    }
    assert len(ids) == 6
    assert min(ids) == len(TOKENIZER.words)
    assert max(ids) == TOKENIZER.size - 1


def test_a_finding_that_is_not_named_is_not_assessed():
    assert TOKENIZER.condition({}) == TOKENIZER.condition({"pleural-effusion": "not assessed"})


def test_a_tokenizer_is_read_back_as_written(tmp_path: Path):
    save_tokenizer(TOKENIZER, tmp_path / "tokenizer.json")
    assert load_tokenizer(tmp_path / "tokenizer.json") == TOKENIZER


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path):
    (tmp_path / "tokenizer.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="no tokenizer"):
        load_tokenizer(tmp_path / "tokenizer.json")
