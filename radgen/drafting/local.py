"""The same networks in this process: the fallback, and the reference the others must equal."""

import threading

import numpy as np
from numpy.typing import NDArray

from models.decoder import WEIGHTS as DECODER_WEIGHTS
from models.decoder import ReportDecoder
from models.generate import GenerationBusyError, GenerationLoop, GenerationRequest, Outcome
from models.pack import Pack
from models.vision import VisionEncoder
from radgen.domain.errors import InferenceUnavailableError
from radgen.drafting.engine import Reading, check_image


class LocalEngine:
    """Runs one pack with onnxruntime; safe to use from several threads."""

    def __init__(self, pack: Pack, threads: int = 1) -> None:
        """Opens the networks. Raises: PackFaultError if the pack has no encoder."""
        self._encoder = VisionEncoder(pack, threads)
        self._loop: GenerationLoop | None = None
        if DECODER_WEIGHTS in pack.files:
            self._loop = GenerationLoop(ReportDecoder(pack, threads))
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        """As `Engine.name`."""
        return "in-process"

    def read(self, image: NDArray[np.float32], max_tokens: int, deadline_s: float) -> Reading:
        """As `Engine.read`. The deadline bounds the text; one encoder pass cannot be stopped."""
        check_image(image)
        if self._closed.is_set():
            raise InferenceUnavailableError("the engine is closed")
        encoded = self._encoder.encode(image)
        logits = encoded.logits[0]
        text = self._write(logits, max_tokens, deadline_s)
        return Reading(logits, encoded.evidence[0], encoded.gate[0], text)

    def healthy(self) -> bool:
        """As `Engine.healthy`."""
        return not self._closed.is_set()

    def close(self) -> None:
        """As `Engine.close`."""
        self._closed.set()
        if self._loop is not None:
            self._loop.close()

    def _write(self, logits: NDArray[np.float32], max_tokens: int, deadline_s: float) -> str:
        if self._loop is None:
            return ""
        request = GenerationRequest(logits, max_tokens, on_piece=_go_on, on_end=_ignore)
        try:
            handle = self._loop.submit(request)
        except (GenerationBusyError, RuntimeError) as error:
            raise InferenceUnavailableError(f"report_decoder: {error}") from error
        if not handle.wait(deadline_s):
            handle.cancel()
            raise InferenceUnavailableError(f"report_decoder: no text after {deadline_s:g} s")
        if handle.outcome != "finished":
            raise InferenceUnavailableError(f"report_decoder: generation {handle.outcome}")
        return handle.text


def _go_on(_: str) -> bool:
    return True


def _ignore(_: Outcome) -> None:
    return None
