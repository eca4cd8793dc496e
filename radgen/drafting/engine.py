"""What an engine is: one image in, scores, evidence and a proposed text out.

Three engines compute the same reading: the embedded Triton, a Triton at a URL, and the same
networks in this process. A test holds them to equal answers.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.contract import VISION_ENCODER


@dataclass(frozen=True, slots=True)
class Reading:
    """What the networks say about one image; raw, before calibration.

    logits: float32 [K], in the order of the pack's labels.
    evidence: float32 [K, h, w], class activation maps over the model input.
    gate: float32 [G], logits of the kinds of picture.
    text: the decoder's proposal, "" where the pack has no decoder.
    """

    logits: NDArray[np.float32]
    evidence: NDArray[np.float32]
    gate: NDArray[np.float32]
    text: str


class Engine(Protocol):
    """Runs the networks of one pack."""

    @property
    def name(self) -> str:
        """One of "triton-embedded", "triton-url", "in-process"."""

    def read(self, image: NDArray[np.float32], max_tokens: int, deadline_s: float) -> Reading:
        """Reads one image.

        image: float32 [1, 1, 260, 260], values in [0, 1], from models.preprocess.radiograph.
        deadline_s: after it the call fails, whatever the networks do.
        Raises: InferenceUnavailableError (try again), ValueError for another shape or dtype.
        """

    def healthy(self) -> bool:
        """True while a reading can be expected to succeed."""

    def close(self) -> None:
        """Frees what the engine holds; a second call does nothing."""


def check_image(image: NDArray[np.float32]) -> None:
    """Raises: ValueError unless `image` is float32 [1, 1, 260, 260]."""
    spec = VISION_ENCODER.input("IMAGE")
    if image.shape != (1, *spec.dims) or image.dtype != np.dtype(spec.dtype):
        raise ValueError(
            f"IMAGE is {image.dtype} {image.shape}, not {spec.dtype} {(1, *spec.dims)}"
        )
