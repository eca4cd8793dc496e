"""A radiograph as displayed -> the encoder's input, and the way back for a box.

MONAI does the work: area resize that keeps the aspect, percentile scaling, symmetric padding.
"""

from dataclasses import dataclass

import numpy as np
import torch
from monai.transforms import Compose, Resize, ScaleIntensityRange, SpatialPad
from numpy.typing import NDArray

from models.contract import IMAGE_SIZE

PERCENTILES = (0.5, 99.5)
SMALLEST_RANGE = 1e-3
"""A picture with less contrast than this is blank; scaling it would only show noise."""

SMALLEST_SIDE = 32
"""Pixels; below, one evidence cell would be larger than the picture."""


@dataclass(frozen=True, slots=True)
class ModelGeometry:
    """Where the picture lies in the model's square.

    height, width: of the picture, pixels.
    top, left: of the picture in the square, model pixels.
    scale_y, scale_x: model pixels for one pixel of the picture.
    """

    height: int
    width: int
    top: int
    left: int
    scale_y: float
    scale_x: float

    def to_image_box(
        self, box: tuple[float, float, float, float]
    ) -> tuple[float, float, float, float] | None:
        """A box of the square in pixels of the picture.

        box: (left, top, right, bottom), model pixels.
        Returns: the same order in the picture's pixels, cut at its edge; None if it lies in the
        padding.
        """
        left = _clip((box[0] - self.left) / self.scale_x, self.width)
        top = _clip((box[1] - self.top) / self.scale_y, self.height)
        right = _clip((box[2] - self.left) / self.scale_x, self.width)
        bottom = _clip((box[3] - self.top) / self.scale_y, self.height)
        if left >= right or top >= bottom:
            return None
        return left, top, right, bottom


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What the encoder reads.

    image: float32 [1, 1, 260, 260], values in [0, 1].
    """

    image: NDArray[np.float32]
    geometry: ModelGeometry


def to_model_input(pixels: NDArray[np.float32]) -> ModelInput:
    """Resizes, scales and pads one radiograph.

    pixels: float32 [H, W] in [0, 1], as displayed (bone is bright).
    Raises: ValueError if it is not two-dimensional, too small or holds values that are not finite.
    """
    if pixels.ndim != 2 or min(pixels.shape) < SMALLEST_SIDE:
        raise ValueError(f"a radiograph of shape {pixels.shape} cannot be read")
    if not np.isfinite(pixels).all():
        raise ValueError("pixels hold values that are not finite")
    height, width = pixels.shape
    resize = Resize(spatial_size=IMAGE_SIZE, size_mode="longest", mode="area")
    small = resize(torch.from_numpy(np.ascontiguousarray(pixels, dtype=np.float32))[None])
    rows, columns = small.shape[1:]  # [1, rows, columns], the longer of both is 260
    low, high = np.percentile(small.numpy(), PERCENTILES)
    finish = Compose([_scale(float(low), float(high)), SpatialPad((IMAGE_SIZE, IMAGE_SIZE))])
    square = np.asarray(finish(small).numpy(), dtype=np.float32)  # [1, 260, 260]
    geometry = ModelGeometry(
        height=height,
        width=width,
        top=(IMAGE_SIZE - rows) // 2,
        left=(IMAGE_SIZE - columns) // 2,
        scale_y=rows / height,
        scale_x=columns / width,
    )
    return ModelInput(square[None], geometry)


def _scale(low: float, high: float) -> ScaleIntensityRange:
    if high - low < SMALLEST_RANGE:  # blank: everything becomes 0
        low, high = high + 1.0, high + 2.0
    return ScaleIntensityRange(low, high, 0.0, 1.0, clip=True)


def _clip(value: float, limit: int) -> float:
    return min(max(value, 0.0), float(limit))
