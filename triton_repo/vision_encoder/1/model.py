"""Door to models.vision: unpack, call, pack. A bad request gets an error, the others a result."""

# Triton's module lacks the names of its own types at run time: annotations must stay text.
from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb

from models.contract import VISION_ENCODER
from models.pack import load_pack
from models.vision import Encoded, VisionEncoder

IMAGE = VISION_ENCODER.input("IMAGE")


class TritonPythonModel:
    """One instance of the encoder."""

    def initialize(self, args: dict[str, str]) -> None:
        """Opens the pack. Raises: TritonModelException where numpy would garble the tensors."""
        if not np.__version__.startswith("1."):
            raise pb.TritonModelException(f"numpy 1.x needed, found {np.__version__}")
        parameters = json.loads(args["model_config"])["parameters"]
        said = {key: value["string_value"] for key, value in parameters.items()}
        folder = said["pack_folder"] or os.environ["RADGEN_PACK_FOLDER"]
        self.encoder = VisionEncoder(load_pack(Path(folder)), threads=int(said["threads"]))

    def execute(self, requests: list[pb.InferenceRequest]) -> list[pb.InferenceResponse]:
        """Runs all good requests as one batch; the answers keep the order of the requests."""
        images = [pb.get_input_tensor_by_name(request, "IMAGE").as_numpy() for request in requests]
        good = [image for image in images if image.shape[1:] == IMAGE.dims]
        encoded = self.encoder.encode(np.concatenate(good)) if good else None
        responses, start = [], 0
        for image in images:
            if encoded is None or image.shape[1:] != IMAGE.dims:
                error = pb.TritonError(f"IMAGE is {image.shape}, not {('N', *IMAGE.dims)}")
                responses.append(pb.InferenceResponse(error=error))
                continue
            responses.append(_response(encoded, slice(start, start + len(image))))
            start += len(image)
        return responses


def _response(encoded: Encoded, rows: slice) -> pb.InferenceResponse:
    return pb.InferenceResponse(
        [
            pb.Tensor("LOGITS", encoded.logits[rows]),
            pb.Tensor("EVIDENCE", encoded.evidence[rows]),
            pb.Tensor("GATE", encoded.gate[rows]),
        ]
    )
