"""The report decoder of a pack: one step of text generation as one onnxruntime call.

The graph keeps no state. The caller holds the key/value cache and the length of each row, so rows
of different age go through one call together (models.generate).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.calibration import Decision, calibrate, decide
from models.pack import Pack
from models.tokenizer import BEGIN, load_tokenizer
from models.vision import open_session

WEIGHTS = "report_decoder.onnx"
TOKENIZER = "tokenizer.json"
MASKED = np.float32(-1e9)


class ReportDecoder:
    """Finding states in, the next token out."""

    def __init__(self, pack: Pack, threads: int = 1) -> None:
        """Opens the pack's decoder. Raises: PackFaultError if the pack has none."""
        self.pack = pack
        self.tokenizer = load_tokenizer(pack.file(TOKENIZER))
        self._session = open_session(str(pack.file(WEIGHTS)), threads)
        shapes = {tensor.name: tensor.shape for tensor in self._session.get_inputs()}
        self._cache_dims: tuple[int, ...] = tuple(shapes["CACHE"][1:])

    @property
    def context(self) -> int:
        """Tokens that fit into the cache, the condition included."""
        return self._cache_dims[3]

    @property
    def longest_text(self) -> int:
        """Tokens of text that fit beside the condition."""
        return self.context - len(self.tokenizer.findings) - 1

    def new_cache(self, rows: int) -> NDArray[np.float32]:
        """An empty cache: float32 [rows, layers, 2, heads, context, width]."""
        return np.zeros((rows, *self._cache_dims), dtype=np.float32)

    def states(self, logits: NDArray[np.float32]) -> dict[str, Decision]:
        """Finding -> what the pack's thresholds make of its score.

        logits: float32 [K], in the order of the pack's labels.
        Raises: ValueError if K is not the pack's.
        """
        labels = self.pack.labels
        if logits.shape != (len(labels),):
            raise ValueError(f"LOGITS is {logits.shape}, not ({len(labels)},)")
        chances = calibrate(logits, labels)
        return {
            label.finding: decide(float(chance), label)
            for label, chance in zip(labels, chances, strict=True)
        }

    def prompt(self, states: Mapping[str, Decision]) -> list[int]:
        """Ids that stand before the first word."""
        return [*self.tokenizer.condition(states), BEGIN]

    def read_prompt(self, prompt: Sequence[int], cache: NDArray[np.float32]) -> int:
        """Fills one row of an empty cache with `prompt` and returns the first token.

        cache: float32 [1, layers, 2, heads, context, width], written in place.
        """
        count = len(prompt)
        causal = np.triu(np.full((count, count), MASKED, dtype=np.float32), k=1)
        past = np.full((count, self.context), MASKED, dtype=np.float32)
        scores, fresh = self._run(
            np.asarray([prompt], dtype=np.int64),
            np.arange(count, dtype=np.int64)[None],
            np.concatenate([past, causal], axis=1)[None],
            cache,
        )
        cache[:, :, :, :, :count] = fresh
        return int(np.argmax(scores[0]))

    def step(
        self,
        tokens: NDArray[np.int64],
        lengths: NDArray[np.int64],
        cache: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """One more token for each row (greedy).

        tokens: int64 [B], the last token of each row.
        lengths: int64 [B], how many cache positions of each row are filled; each < context.
        cache: float32 [B, layers, 2, heads, context, width], written in place.
        Returns: int64 [B].
        """
        open_positions = np.arange(self.context)[None] < lengths[:, None]  # [B, context]
        mask = np.zeros((len(tokens), 1, self.context + 1), dtype=np.float32)
        mask[:, 0, : self.context][~open_positions] = MASKED
        scores, fresh = self._run(tokens[:, None], lengths[:, None], mask, cache)
        for row, length in enumerate(lengths):
            cache[row, :, :, :, length] = fresh[row, :, :, :, 0]
        return np.asarray(np.argmax(scores, axis=1), dtype=np.int64)

    def _run(
        self,
        tokens: NDArray[np.int64],
        positions: NDArray[np.int64],
        mask: NDArray[np.float32],
        cache: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        feed = {"TOKENS": tokens, "POSITIONS": positions, "MASK": mask, "CACHE": cache}
        scores, fresh = self._session.run(["SCORES", "FRESH"], feed)
        return scores, fresh
