"""Reports written together are those written alone, and nobody keeps a row too long."""

import itertools
import threading

import numpy as np
import pytest

from models.decoder import ReportDecoder
from models.generate import (
    Batch,
    GenerationBusyError,
    GenerationHandle,
    GenerationLoop,
    GenerationRequest,
    generate,
    write_report,
)

LIMIT = 100


def logits_for(decoder: ReportDecoder, answers: tuple[str, ...]) -> np.ndarray:
    """Scores that the pack's thresholds read as `answers` where it can say them."""
    size = {"absent": -200.0, "present": 200.0}
    middle = [
        (np.log(label.absent_below / (1 - label.absent_below)) - label.offset) / label.slope + 1e-3
        for label in decoder.pack.labels
    ]
    return np.array(
        [size.get(answer, between) for answer, between in zip(answers, middle, strict=True)],
        dtype=np.float32,
    )


def every_answer(decoder: ReportDecoder) -> list[np.ndarray]:
    answers = ("absent", "present", "not assessed")
    return [
        logits_for(decoder, chosen)
        for chosen in itertools.product(answers, repeat=len(decoder.pack.labels))
    ]


def request(logits: np.ndarray, pieces: list[str], limit: int = LIMIT) -> GenerationRequest:
    def keep(piece: str) -> bool:
        pieces.append(piece)
        return True

    return GenerationRequest(logits, limit, on_piece=keep, on_end=lambda _: None)


def test_a_report_is_the_same_alone_and_in_a_batch(decoder: ReportDecoder):
    wanted = every_answer(decoder) * 5
    alone = [generate(decoder, logits, LIMIT) for logits in wanted]
    distinct = {tuple(decoder.states(logits).items()) for logits in wanted}
    assert len(set(alone)) == len(distinct) > 3
    with GenerationLoop(decoder, max_batch=8) as loop:
        handles = [loop.submit(request(logits, [])) for logits in wanted]
        assert all(handle.wait(60) for handle in handles)
    assert [handle.text for handle in handles] == alone
    assert {handle.outcome for handle in handles} == {"finished"}


def test_long_reports_of_any_states_are_the_same_alone_and_in_a_changing_batch(
    decoder: ReportDecoder,
):
    rng = np.random.default_rng(7)
    answers = ("present", "absent", "not assessed")
    wanted = [
        {finding: answers[int(rng.integers(3))] for finding in decoder.tokenizer.findings}
        for _ in range(40)
    ]
    alone = [write_report(decoder, states, LIMIT) for states in wanted]
    empty = np.zeros(0, dtype=np.float32)
    handles = [
        GenerationHandle(request(empty, []), tuple(decoder.prompt(states))) for states in wanted
    ]
    batch, waiting = Batch(decoder, max_batch=5), list(handles)
    while waiting or batch.live:
        if waiting and batch.has_room:
            batch.admit(waiting.pop(0))  # one newcomer a step: rows of every age together
        batch.step()
    assert [handle.text for handle in handles] == alone
    assert max(map(len, alone)) > 200


def test_pieces_arrive_one_by_one_and_joined_are_the_text(decoder: ReportDecoder):
    pieces: list[str] = []
    logits = every_answer(decoder)[0]
    with GenerationLoop(decoder, max_batch=2) as loop:
        handle = loop.submit(request(logits, pieces))
        assert handle.wait(60)
    assert len(pieces) > 3
    assert "".join(pieces) == handle.text == generate(decoder, logits, LIMIT)


def test_no_more_tokens_than_asked_for(decoder: ReportDecoder):
    pieces: list[str] = []
    with GenerationLoop(decoder, max_batch=1) as loop:
        assert loop.submit(request(every_answer(decoder)[0], pieces, limit=3)).wait(60)
    assert len(pieces) == 3


def test_asking_for_no_tokens_gives_no_text(decoder: ReportDecoder):
    assert generate(decoder, every_answer(decoder)[0], 0) == ""


def test_nothing_assessed_is_nothing_said(decoder: ReportDecoder):
    unsure = logits_for(decoder, ("not assessed",) * len(decoder.pack.labels))
    assert set(decoder.states(unsure).values()) == {"not assessed"}
    assert generate(decoder, unsure, LIMIT) == ""


def test_a_cancelled_report_frees_its_row_for_the_next(decoder: ReportDecoder):
    batch = Batch(decoder, max_batch=2)
    logits = every_answer(decoder)[0]
    prompt = tuple(decoder.prompt(decoder.states(logits)))
    first, second, third = (GenerationHandle(request(logits, []), prompt) for _ in range(3))
    batch.admit(first)
    batch.admit(second)
    assert not batch.has_room
    first.cancel()
    batch.step()
    assert first.outcome == "cancelled"
    assert batch.has_room
    batch.admit(third)
    while batch.live:
        batch.step()
    expected = generate(decoder, logits, LIMIT)
    assert (second.text, third.text) == (expected, expected)
    assert expected.startswith(first.text)
    assert len(first.text) < len(expected)


def test_a_caller_that_answers_no_is_given_nothing_more(decoder: ReportDecoder):
    pieces: list[str] = []

    def once(piece: str) -> bool:
        pieces.append(piece)
        return False

    with GenerationLoop(decoder, max_batch=1) as loop:
        handle = loop.submit(
            GenerationRequest(every_answer(decoder)[0], LIMIT, once, lambda _: None)
        )
        assert handle.wait(60)
    assert len(pieces) == 1
    assert handle.outcome == "cancelled"


def test_a_callback_that_breaks_ends_its_own_report_only(decoder: ReportDecoder):
    def broken(_: str) -> bool:
        raise OSError("the other side is gone")

    logits = every_answer(decoder)[0]
    with GenerationLoop(decoder, max_batch=2) as loop:
        bad = loop.submit(GenerationRequest(logits, LIMIT, broken, lambda _: None))
        good = loop.submit(request(logits, []))
        assert bad.wait(60)
        assert good.wait(60)
    assert bad.outcome == "failed"
    assert good.text == generate(decoder, logits, LIMIT)


def test_an_end_callback_that_breaks_does_not_stop_the_loop(decoder: ReportDecoder):
    def broken(_: object) -> None:
        raise OSError("the other side is gone")

    logits = every_answer(decoder)[0]
    with GenerationLoop(decoder, max_batch=1) as loop:
        bad = loop.submit(GenerationRequest(logits, LIMIT, lambda _: True, broken))
        good = loop.submit(request(logits, []))
        assert bad.wait(60)
        assert good.wait(60)
    assert good.outcome == "finished"


def test_scores_of_another_pack_are_refused_at_the_door(decoder: ReportDecoder):
    wrong = np.zeros(len(decoder.pack.labels) + 1, dtype=np.float32)
    with GenerationLoop(decoder, max_batch=1) as loop, pytest.raises(ValueError, match="LOGITS"):
        loop.submit(request(wrong, []))


def test_too_many_waiting_are_turned_away(decoder: ReportDecoder):
    blocked, go_on = threading.Event(), threading.Event()

    def slow(_: str) -> bool:
        blocked.set()
        go_on.wait(30)
        return True

    logits = every_answer(decoder)[0]
    with GenerationLoop(decoder, max_batch=1, max_waiting=1) as loop:
        loop.submit(GenerationRequest(logits, LIMIT, slow, lambda _: None))
        assert blocked.wait(30)
        loop.submit(request(logits, []))
        with pytest.raises(GenerationBusyError):
            loop.submit(request(logits, []))
        go_on.set()


def test_closing_ends_what_runs_and_what_waits(decoder: ReportDecoder):
    started = threading.Event()

    def slow(_: str) -> bool:
        started.set()
        return True

    logits = every_answer(decoder)[0]
    loop = GenerationLoop(decoder, max_batch=1)
    handles = [
        loop.submit(GenerationRequest(logits, LIMIT, slow, lambda _: None)) for _ in range(5)
    ]
    assert started.wait(30)
    loop.close()
    assert all(handle.outcome in {"finished", "cancelled"} for handle in handles)
    with pytest.raises(RuntimeError, match="closed"):
        loop.submit(request(logits, []))


def test_states_written_directly_and_through_scores_give_one_text(decoder: ReportDecoder):
    for logits in every_answer(decoder)[::7]:
        states = decoder.states(logits)
        assert write_report(decoder, states, LIMIT) == generate(decoder, logits, LIMIT)
