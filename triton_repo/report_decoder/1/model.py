"""Door to models.generate: each request joins the running batch, its pieces leave as they come."""

# Triton's module lacks the names of its own types at run time: annotations must stay text.
from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb

from models.decoder import ReportDecoder
from models.generate import GenerationLoop, GenerationRequest, Outcome
from models.pack import load_pack

FINAL = pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    """One instance of the decoder with its own batching loop."""

    def initialize(self, args: dict[str, str]) -> None:
        """Opens the pack. Raises: TritonModelException where numpy would garble the tensors."""
        if not np.__version__.startswith("1."):
            raise pb.TritonModelException(f"numpy 1.x needed, found {np.__version__}")
        parameters = json.loads(args["model_config"])["parameters"]
        said = {key: value["string_value"] for key, value in parameters.items()}
        folder = said["pack_folder"] or os.environ["RADGEN_PACK_FOLDER"]
        decoder = ReportDecoder(load_pack(Path(folder)), threads=int(said["threads"]))
        self.loop = GenerationLoop(decoder, max_batch=int(said["max_batch"]))

    def execute(self, requests: list[pb.InferenceRequest]) -> None:
        """Returns at once; the loop's thread answers. A full queue is this request's error."""
        for request in requests:
            sender = request.get_response_sender()
            logits = pb.get_input_tensor_by_name(request, "LOGITS").as_numpy()[0].copy()
            max_tokens = int(pb.get_input_tensor_by_name(request, "MAX_TOKENS").as_numpy()[0])

            def give(piece: str, sender: pb.InferenceResponseSender = sender) -> bool:
                text = np.array([piece.encode()], dtype=np.object_)
                sender.send(pb.InferenceResponse([pb.Tensor("TEXT", text)]))
                return not sender.is_cancelled()

            def end(outcome: Outcome, sender: pb.InferenceResponseSender = sender) -> None:
                error = pb.TritonError(f"generation {outcome}")
                failed = pb.InferenceResponse(error=error) if outcome == "failed" else None
                sender.send(failed, flags=FINAL) if failed else sender.send(flags=FINAL)

            try:
                self.loop.submit(GenerationRequest(logits, max_tokens, give, end))
            except (RuntimeError, ValueError) as error:  # busy, closing, or another K
                refusal = pb.InferenceResponse(error=pb.TritonError(str(error)))
                sender.send(refusal, flags=FINAL)

    def finalize(self) -> None:
        """Ends the loop when the model is unloaded."""
        self.loop.close()
