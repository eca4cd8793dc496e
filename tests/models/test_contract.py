"""The graphs in the packs are what the contract says is served."""

import numpy as np
import onnxruntime
import pytest

from models.contract import (
    DRAFT_REPORT,
    REPORT_DECODER,
    VARIABLE,
    VISION_ENCODER,
    ServedModel,
    TensorSpec,
)
from models.pack import Pack

ONNX_TYPES = {"tensor(float)": "float32", "tensor(int64)": "int64"}


def test_the_encoder_graph_has_the_tensors_of_the_contract(pack: Pack):
    session = onnxruntime.InferenceSession(str(pack.file("vision_encoder.onnx")))
    _assert_equal(session.get_inputs(), VISION_ENCODER.inputs)
    _assert_equal(session.get_outputs(), VISION_ENCODER.outputs)


def _assert_equal(found: list[onnxruntime.NodeArg], specs: tuple[TensorSpec, ...]):
    assert [tensor.name for tensor in found] == [spec.name for spec in specs]
    for tensor, spec in zip(found, specs, strict=True):
        assert ONNX_TYPES[tensor.type] == spec.dtype
        assert isinstance(tensor.shape[0], str)  # the batch dim is free
        assert len(tensor.shape) == len(spec.dims) + 1
        for size, wanted in zip(tensor.shape[1:], spec.dims, strict=True):
            assert wanted in (VARIABLE, size)


def test_the_encoder_gives_one_score_per_label_and_kind(pack: Pack):
    session = onnxruntime.InferenceSession(str(pack.file("vision_encoder.onnx")))
    image = np.zeros((1, *VISION_ENCODER.input("IMAGE").dims), dtype=np.float32)
    logits, _, gate = session.run(None, {"IMAGE": image})
    assert pack.gate is not None
    assert logits.shape[1] == len(pack.labels)
    assert gate.shape[1] == len(pack.gate.kinds)


def test_the_ensemble_takes_the_encoder_s_image_and_gives_the_decoder_s_text_alone():
    assert [spec.name for spec in DRAFT_REPORT.outputs] == ["TEXT"]
    assert DRAFT_REPORT.input("IMAGE").dims == (1, *VISION_ENCODER.input("IMAGE").dims)
    assert DRAFT_REPORT.input("MAX_TOKENS") == REPORT_DECODER.input("MAX_TOKENS")
    assert DRAFT_REPORT.output("TEXT") == REPORT_DECODER.output("TEXT")


@pytest.mark.parametrize("model", [VISION_ENCODER, REPORT_DECODER, DRAFT_REPORT])
def test_a_tensor_that_is_not_in_the_contract_cannot_be_asked_for(model: ServedModel):
    with pytest.raises(KeyError):
        model.input("TEXT")
