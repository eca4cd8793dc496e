"""One reading from a Triton, embedded or at a URL, over gRPC.

The encoder is asked once and the decoder is streamed: an ensemble cannot give both kinds of answer
(triton_repo/draft_report/config.pbtxt). An image of 264 KiB travels in the message; shared memory
pays only for volumes.
"""

import contextlib
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.contract import REPORT_DECODER, VISION_ENCODER
from radgen.domain.errors import InferenceUnavailableError
from radgen.drafting.engine import Reading, check_image
from radgen.drafting.triton_wire import TritonWire


@dataclass(frozen=True, slots=True)
class TritonClient:
    """Speaks to one server that serves one pack.

    with_decoder: False for a pack that has no report decoder; the text is "" then.
    """

    wire: TritonWire
    with_decoder: bool = True

    def read(self, image: NDArray[np.float32], max_tokens: int, deadline_s: float) -> Reading:
        """Reads one image; the deadline holds for both calls together.

        image: float32 [1, 1, 260, 260], values in [0, 1].
        Raises: InferenceUnavailableError, ValueError for another shape or dtype.
        """
        check_image(image)
        until = time.monotonic() + deadline_s
        request_id = request_id_of(image, max_tokens)
        answer = self.wire.infer(VISION_ENCODER.name, {"IMAGE": image}, request_id, deadline_s)
        try:
            logits, evidence, gate = (answer[spec.name] for spec in VISION_ENCODER.outputs)
        except KeyError as error:
            raise InferenceUnavailableError(f"vision_encoder: no output {error}") from error
        text = ""
        if self.with_decoder:
            text = "".join(self.write(logits, max_tokens, request_id, until - time.monotonic()))
        return Reading(logits[0], evidence[0], gate[0], text)

    def write(
        self, logits: NDArray[np.float32], max_tokens: int, request_id: str, deadline_s: float
    ) -> Iterator[str]:
        """Pieces of the proposed text as they come; closing the iterator stops the decoder.

        logits: float32 [1, K].
        Raises: InferenceUnavailableError.
        """
        inputs = {"LOGITS": logits, "MAX_TOKENS": np.array([max_tokens], dtype=np.int32)}
        pieces = self.wire.stream(REPORT_DECODER.name, inputs, request_id, max(deadline_s, 0.001))
        with contextlib.closing(pieces):
            for piece in pieces:
                yield piece["TEXT"][0].decode("utf-8", "replace")


def request_id_of(image: NDArray[np.float32], max_tokens: int) -> str:
    """The same request always has the same id, so that a repeated one can be recognised in logs.

    It is a hash of model input, so it tells nothing about the patient.
    """
    digest = hashlib.sha256(np.ascontiguousarray(image).tobytes())
    digest.update(max_tokens.to_bytes(4, "big", signed=True))
    return digest.hexdigest()[:32]
