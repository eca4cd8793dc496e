"""Names, types and dims of every tensor that is served: the one place where they are written down.

numpy only: Triton's `model.py` files, the in-process engine, the export and the tests all read
this, and none of them may need torch for it. A `config.pbtxt` that differs fails a test.
"""

from dataclasses import dataclass

VARIABLE = -1
"""A dim that the pack decides: K labels, G kinds of picture."""

IMAGE_SIZE = 260
"""Rows and columns of the encoder's input, pixels."""

GRID = 9
"""Rows and columns of an evidence map; cell i is centred on input pixel 130 + 32 (i - 4)."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor on the wire.

    dtype: numpy name ("float32", "int32"), "object" for bytes strings.
    dims: without the batch dim where the model has `max_batch > 0`.
    """

    name: str
    dtype: str
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model of the repository.

    max_batch: 0 where the model has no batch dim of its own.
    decoupled: True where one request gives many responses.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_batch: int
    decoupled: bool

    def input(self, name: str) -> TensorSpec:
        """The input called `name`. Raises: KeyError if there is none."""
        return _named(self.inputs, name)

    def output(self, name: str) -> TensorSpec:
        """The output called `name`. Raises: KeyError if there is none."""
        return _named(self.outputs, name)


def _named(specs: tuple[TensorSpec, ...], name: str) -> TensorSpec:
    for spec in specs:
        if spec.name == name:
            return spec
    raise KeyError(name)


# IMAGE: values in [0, 1] as displayed, made by models.preprocess.radiograph and by nothing else.
# LOGITS: raw scores, labels in the order of the pack; models.calibration gives them a meaning.
# EVIDENCE: class activation maps; the mean over the map of label k is LOGITS[k]. A mirrored image
# gives the mirrored map.
# GATE: what kind of picture this is; models.calibration.judge_picture reads it.
VISION_ENCODER = ServedModel(
    name="vision_encoder",
    inputs=(TensorSpec("IMAGE", "float32", (1, IMAGE_SIZE, IMAGE_SIZE)),),
    outputs=(
        TensorSpec("LOGITS", "float32", (VARIABLE,)),
        TensorSpec("EVIDENCE", "float32", (VARIABLE, GRID, GRID)),
        TensorSpec("GATE", "float32", (VARIABLE,)),
    ),
    max_batch=8,
    decoupled=False,
)

# One report per request, in pieces; joined they are the text. LOGITS keeps the encoder's batch
# dim, because in an ensemble a model without a batch dim sees the encoder's as an ordinary one.
REPORT_DECODER = ServedModel(
    name="report_decoder",
    inputs=(
        TensorSpec("LOGITS", "float32", (1, VARIABLE)),
        TensorSpec("MAX_TOKENS", "int32", (1,)),
    ),
    outputs=(TensorSpec("TEXT", "object", (1,)),),
    max_batch=0,
    decoupled=True,
)

# TEXT alone: Triton refuses an ensemble that gives a plain output beside a streamed one.
DRAFT_REPORT = ServedModel(
    name="draft_report",
    inputs=(
        TensorSpec("IMAGE", "float32", (1, 1, IMAGE_SIZE, IMAGE_SIZE)),
        TensorSpec("MAX_TOKENS", "int32", (1,)),
    ),
    outputs=(TensorSpec("TEXT", "object", (1,)),),
    max_batch=0,
    decoupled=True,
)
