"""Torch network -> ONNX file, halved in size and checked against the network it came from."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET = 18
LARGE = 512
"""Elements from which an initializer is worth storing as float16."""


def export_graph(
    network: nn.Module,
    example: tuple[torch.Tensor, ...],
    names: tuple[Sequence[str], Sequence[str]],
    dynamic: dict[str, dict[int, str]],
    path: Path,
) -> None:
    """Writes `network` as ONNX.

    names: input names, output names.
    dynamic: tensor name -> {axis: name of the axis}.
    """
    with warnings.catch_warnings():
        # The newer exporter needs minutes for this network and gives the same operators.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            example,
            str(path),
            input_names=list(names[0]),
            output_names=list(names[1]),
            dynamic_axes=dynamic,
            opset_version=OPSET,
            dynamo=False,
        )


def store_weights_as_half(path: Path) -> None:
    """Stores every large float32 weight as float16 with a cast behind it.

    onnxruntime folds the casts when it opens the file, so the arithmetic stays float32; where the
    weights were rounded to float16 before, the outputs do not change at all.
    """
    model = onnx.load(str(path))
    graph = model.graph
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < LARGE:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def largest_difference(
    path: Path, feed: dict[str, NDArray[np.generic]], expected: Sequence[NDArray[np.float32]]
) -> float:
    """Largest absolute difference between the file's outputs and `expected`, in output order."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, feed)
    return max(float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True))
