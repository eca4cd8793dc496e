"""Continuous batching: reports of different age share every step of the decoder.

A request that ends or is cancelled frees its row at once and the next one takes it; nobody waits
for the longest report of a batch. Pure numpy and onnxruntime, so the same loop serves inside Triton
(own thread, pieces by callback) and in process (`generate`).
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.calibration import Decision
from models.decoder import ReportDecoder
from models.tokenizer import BEGIN, END

Outcome = Literal["finished", "cancelled", "failed"]


log = logging.getLogger(__name__)

_NO_LOGITS = np.zeros(0, dtype=np.float32)


class GenerationBusyError(RuntimeError):
    """Too many requests wait; the caller should say so instead of waiting longer."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One report to write.

    logits: float32 [K], the encoder's scores in the order of the pack's labels.
    max_tokens: at most so many tokens; the decoder's own limit holds as well.
    on_piece: called in the loop's thread with each piece of text; returning False cancels.
    on_end: called once in the loop's thread, after the last piece.
    """

    logits: NDArray[np.float32]
    max_tokens: int
    on_piece: Callable[[str], bool]
    on_end: Callable[[Outcome], None]


@dataclass(slots=True)
class GenerationHandle:
    """The caller's hold on a request that was submitted."""

    request: GenerationRequest
    prompt: tuple[int, ...]
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _pieces: list[str] = field(default_factory=list)
    outcome: Outcome | None = None

    def cancel(self) -> None:
        """Asks the loop to stop this request before its next token."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """True once somebody asked to stop."""
        return self._cancelled.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits for the end. Returns: False if it did not come in time."""
        return self._ended.wait(timeout_s)

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(self._pieces)

    def give(self, piece: str) -> None:
        """Hands one piece on (the loop calls this)."""
        self._pieces.append(piece)
        if not self.request.on_piece(piece):
            self.cancel()

    def end(self, outcome: Outcome) -> None:
        """Closes the request (the loop calls this once)."""
        self.outcome = outcome
        try:
            self.request.on_end(outcome)
        except Exception as error:  # noqa: BLE001 - a caller's broken callback must not end the others' reports
            log.warning("end callback failed", extra={"error": type(error).__name__})
        self._ended.set()


@dataclass(slots=True)
class _Row:
    """One live report: cache row = its place in the list."""

    handle: GenerationHandle
    length: int
    last: int
    left: int


class Batch:
    """The live rows and their cache; no thread, no queue."""

    def __init__(self, decoder: ReportDecoder, max_batch: int) -> None:
        self._decoder = decoder
        self._cache = decoder.new_cache(max_batch)
        self._rows: list[_Row] = []
        self.max_batch = max_batch

    @property
    def live(self) -> int:
        """Rows in use."""
        return len(self._rows)

    @property
    def has_room(self) -> bool:
        """True while a row is free."""
        return self.live < self.max_batch

    def admit(self, handle: GenerationHandle) -> None:
        """Takes a request into a free row and writes its first piece."""
        place = self.live
        first = self._decoder.read_prompt(handle.prompt, self._cache[place : place + 1])
        left = min(handle.request.max_tokens, self._decoder.longest_text)
        row = _Row(handle, length=len(handle.prompt), last=BEGIN, left=left)
        self._rows.append(row)
        self._take(row, first)
        self._retire()

    def step(self) -> None:
        """One token for every live row."""
        for row in self._rows:
            if row.handle.is_cancelled:
                row.left = 0
        self._retire()
        if not self._rows:
            return
        tokens = np.array([row.last for row in self._rows], dtype=np.int64)
        lengths = np.array([row.length for row in self._rows], dtype=np.int64)
        following = self._decoder.step(tokens, lengths, self._cache[: self.live])
        for row, token in zip(self._rows, following, strict=True):
            row.length += 1
            self._take(row, int(token))
        self._retire()

    def end_all(self, outcome: Outcome) -> None:
        """Ends every live row."""
        rows, self._rows = self._rows, []
        for row in rows:
            row.handle.end(outcome)

    def _take(self, row: _Row, token: int) -> None:
        if row.left <= 0 or token == END:
            row.left = 0
            return
        piece = self._decoder.tokenizer.piece(row.last, token)
        row.last = token
        row.left -= 1
        try:
            row.handle.give(piece)
        except Exception as error:  # noqa: BLE001 - a caller's broken callback must not end the others' reports
            log.warning("piece callback failed", extra={"error": type(error).__name__})
            row.handle.outcome = "failed"
        if row.handle.is_cancelled or row.handle.outcome == "failed":
            row.left = 0

    def _retire(self) -> None:
        for place in range(self.live - 1, -1, -1):
            row = self._rows[place]
            if row.left > 0:
                continue
            last = self._rows.pop()
            if (
                last is not row
            ):  # the last row moves into the free place, so live rows stay together
                self._rows[place] = last
                self._cache[place] = self._cache[self.live]
            row.handle.end(_outcome(row.handle))


def _outcome(handle: GenerationHandle) -> Outcome:
    if handle.outcome == "failed":
        return "failed"
    return "cancelled" if handle.is_cancelled else "finished"


class GenerationLoop:
    """A thread that keeps one batch full. Use as a context manager, or call `close`."""

    def __init__(self, decoder: ReportDecoder, max_batch: int = 8, max_waiting: int = 64) -> None:
        self._decoder = decoder
        self._batch = Batch(decoder, max_batch)
        self._waiting: deque[GenerationHandle] = deque()
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._work, name="generation", daemon=True)
        self._thread.start()

    def __enter__(self) -> "GenerationLoop":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, request: GenerationRequest) -> GenerationHandle:
        """Queues a request.

        Raises: GenerationBusyError if too many wait, RuntimeError after `close`, ValueError if the
        number of logits is not the pack's.
        """
        prompt = self._decoder.prompt(self._decoder.states(request.logits))
        handle = GenerationHandle(request, tuple(prompt))
        with self._changed:
            if not self._open:
                raise RuntimeError("the generation loop is closed")
            if len(self._waiting) >= self._max_waiting:
                raise GenerationBusyError(f"{len(self._waiting)} requests wait")
            self._waiting.append(handle)
            self._changed.notify()
        return handle

    def close(self) -> None:
        """Cancels what runs and waits, and ends the thread."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join()

    @property
    def live(self) -> int:
        """Rows in use."""
        return self._batch.live

    @property
    def waiting(self) -> int:
        """Requests without a row."""
        return len(self._waiting)

    def _work(self) -> None:
        outcome: Outcome = "failed"  # what is left when the network itself breaks
        try:
            while self._wait_for_work():
                self._admit()
                self._batch.step()
            outcome = "cancelled"
        finally:
            with self._changed:
                self._open = False
            self._batch.end_all(outcome)
            for handle in self._waiting:
                handle.end(outcome)

    def _admit(self) -> None:
        for handle in self._newcomers():
            if handle.is_cancelled:
                handle.end("cancelled")
            else:
                self._batch.admit(handle)

    def _wait_for_work(self) -> bool:
        with self._changed:
            while self._open and not self._waiting and not self._batch.live:
                self._changed.wait()
            return self._open

    def _newcomers(self) -> list[GenerationHandle]:
        with self._changed:
            room = self._batch.max_batch - self._batch.live
            return [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]


def generate(decoder: ReportDecoder, logits: NDArray[np.float32], max_tokens: int) -> str:
    """Writes one report in the caller's thread.

    logits: float32 [K], in the order of the pack's labels.
    Returns: the text; "" where nothing was assessed.
    Raises: ValueError if K is not the pack's.
    """
    return write_report(decoder, decoder.states(logits), max_tokens)


def write_report(decoder: ReportDecoder, states: Mapping[str, Decision], max_tokens: int) -> str:
    """Writes one report about given finding states; findings not named are not assessed."""
    batch = Batch(decoder, max_batch=1)
    request = GenerationRequest(_NO_LOGITS, max_tokens, on_piece=_go_on, on_end=_do_nothing)
    handle = GenerationHandle(request, tuple(decoder.prompt(states)))
    batch.admit(handle)
    while batch.live:
        batch.step()
    return handle.text


def _go_on(_: str) -> bool:
    return True


def _do_nothing(_: Outcome) -> None:
    return None
