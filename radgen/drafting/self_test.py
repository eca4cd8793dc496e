"""Does a server compute the right values? A ready flag does not tell.

With the wrong numpy the embedded server's stub answers in good health and garbled (decision 0003),
and a server at a URL may hold another pack. So one known image is read by the same networks in
this process first, and the server has to say the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.contract import IMAGE_SIZE
from models.pack import Pack
from radgen.drafting.engine import Reading
from radgen.drafting.local import LocalEngine
from radgen.drafting.triton_client import TritonClient

TOKENS = 8
# The same onnxruntime on the same machine differs by nothing; a GPU with TF32 by about 1e-2.
LOCAL_TOLERANCE = 1e-4
REMOTE_TOLERANCE = 5e-2


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A known image and what it must give.

    image: float32 [1, 1, 260, 260].
    """

    image: NDArray[np.float32]
    expected: Reading


def prepare_self_test(pack: Pack) -> SelfTest:
    """Reads the known image in process; the networks are closed again."""
    engine = LocalEngine(pack)
    try:
        image = known_image()
        return SelfTest(image, engine.read(image, TOKENS, deadline_s=60.0))
    finally:
        engine.close()


def known_image() -> NDArray[np.float32]:
    """A slanted ramp: float32 [1, 1, 260, 260] in [0, 1], another value in every row and column."""
    rows, columns = np.mgrid[0:IMAGE_SIZE, 0:IMAGE_SIZE].astype(np.float32)
    return np.asarray((0.7 * rows + 0.3 * columns)[None, None] / IMAGE_SIZE, dtype=np.float32)


def fault_of(found: Reading, expected: Reading, tolerance: float) -> str:
    """What differs, in a few words; "" where nothing does.

    Only an exact tolerance compares the texts: near a tie another rounding picks another word.
    """
    for name in ("logits", "evidence", "gate"):
        have, want = getattr(found, name), getattr(expected, name)
        if have.shape != want.shape:
            return f"{name} is {have.shape}, not {want.shape}"
        if not np.allclose(have, want, rtol=tolerance, atol=tolerance):
            return f"{name} differs by {float(np.max(np.abs(have - want))):g}"
    if tolerance <= LOCAL_TOLERANCE and found.text != expected.text:
        return "the text differs"
    return ""


def run_self_test(client: TritonClient, test: SelfTest, tolerance: float, deadline_s: float) -> str:
    """Asks a server and compares; "" where it is right. Raises: InferenceUnavailableError."""
    return fault_of(client.read(test.image, TOKENS, deadline_s), test.expected, tolerance)
