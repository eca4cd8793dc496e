"""The vision encoder of a pack, run by onnxruntime; no torch here, so a Triton stub stays small."""

from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.contract import VISION_ENCODER
from models.pack import Pack

WEIGHTS = "vision_encoder.onnx"


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder says about N images.

    logits: float32 [N, K], raw scores in the order of the pack's labels.
    evidence: float32 [N, K, 9, 9], class activation maps; their means are the logits.
    gate: float32 [N, G], logits of the kinds of picture, in the order of the pack's gate.
    """

    logits: NDArray[np.float32]
    evidence: NDArray[np.float32]
    gate: NDArray[np.float32]


def open_session(path: str, threads: int) -> onnxruntime.InferenceSession:
    """A CPU session with `threads` threads inside one operator and none between operators.

    More than one thread on a busy machine makes each step slower, not faster; workers scale.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class VisionEncoder:
    """Images in, scores and evidence maps out."""

    def __init__(self, pack: Pack, threads: int = 1) -> None:
        """Opens the pack's encoder. Raises: PackFaultError if the pack has none."""
        self.pack = pack
        self._session = open_session(str(pack.file(WEIGHTS)), threads)

    def encode(self, images: NDArray[np.float32]) -> Encoded:
        """Runs the encoder.

        images: float32 [N, 1, 260, 260], values in [0, 1], from models.preprocess.radiograph.
        Raises: ValueError if shape or dtype differ from the contract.
        """
        spec = VISION_ENCODER.input("IMAGE")
        if images.shape[1:] != spec.dims or images.dtype != np.dtype(spec.dtype):
            raise ValueError(
                f"IMAGE is {images.dtype} {images.shape}, not float32 [N, 1, 260, 260]"
            )
        names = [output.name for output in VISION_ENCODER.outputs]
        logits, evidence, gate = self._session.run(names, {"IMAGE": np.ascontiguousarray(images)})
        return Encoded(logits, evidence, gate)
