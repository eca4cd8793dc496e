"""Does the server in this container compute, and compute right? Its own health does not tell.

The server stays READY when a python stub has died, so one image is read through HTTP on loopback:
the evidence maps of the encoder must average to its scores (models/contract.py), which garbled
tensors do not. Then the decoder, where the pack has one, must stream a text.
usage: triton_health.py [http://127.0.0.1:8000]
"""

import json
import os
import sys
import urllib.request
from pathlib import Path

import numpy as np

from models.contract import IMAGE_SIZE, REPORT_DECODER, VISION_ENCODER
from models.decoder import WEIGHTS

# A GPU with TF32 differs by about 1e-2.
TOLERANCE = 5e-2
TIMEOUT_S = 8.0
TOKENS = 4


def main(root: str) -> None:
    """Exits with a reason when an answer is wrong or missing."""
    logits = check_encoder(root)
    if (Path(os.environ["RADGEN_PACK_FOLDER"]) / WEIGHTS).exists():
        check_decoder(root, logits)


def check_encoder(root: str) -> list[float]:
    """Asks for one image; returns its scores. Exits when maps and scores disagree."""
    rows, columns = np.mgrid[0:IMAGE_SIZE, 0:IMAGE_SIZE].astype(np.float32)
    image = {
        "name": "IMAGE",
        "datatype": "FP32",
        "shape": [1, *VISION_ENCODER.input("IMAGE").dims],
        "data": ((0.7 * rows + 0.3 * columns) / IMAGE_SIZE).round(4).ravel().tolist(),
    }
    answer = json.loads(post(f"{root}/v2/models/{VISION_ENCODER.name}/infer", {"inputs": [image]}))
    found = {o["name"]: np.array(o["data"]).reshape(o["shape"]) for o in answer["outputs"]}
    logits, maps = found["LOGITS"], found["EVIDENCE"]
    if not np.allclose(maps.mean(axis=(2, 3)), logits, rtol=TOLERANCE, atol=TOLERANCE):
        sys.exit("vision_encoder: the evidence maps do not average to the scores")
    return [float(value) for value in logits[0]]


def check_decoder(root: str, logits: list[float]) -> None:
    """Streams a few tokens. Exits when an event is an error or none comes."""
    body = {"LOGITS": logits, "MAX_TOKENS": TOKENS}
    url = f"{root}/v2/models/{REPORT_DECODER.name}/generate_stream"
    lines = post(url, body).decode("utf-8").splitlines()
    events = [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]
    if not events or any("error" in event for event in events):
        sys.exit("report_decoder: no text came")


def post(url: str, body: object) -> bytes:
    """The whole answer. Raises: OSError when nobody answers or the status is a failure."""
    request = urllib.request.Request(url, json.dumps(body).encode("utf-8"))  # noqa: S310 - our own loopback address, given on the command line
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
        content: bytes = answer.read()
    return content


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
