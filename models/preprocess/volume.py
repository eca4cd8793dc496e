"""A CT or MR volume -> a network's input, by the MONAI chain that the network was trained with.

Axis order. The caller's volumes grow towards (S, P, L) along (d, h, w): head last, face first, the
patient's right first. MONAI thinks in R, A, S along the three axes of its array. The change is a
transpose and a flip, done here once and tested with a marked volume; a mirrored volume would pass
every network unnoticed.
"""

from dataclasses import dataclass

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import (
    CenterSpatialCrop,
    Compose,
    CropForeground,
    Flip,
    Resize,
    ScaleIntensityRange,
    Spacing,
    SpatialPad,
)
from numpy.typing import NDArray

AIR = -1000.0
"""Hounsfield units; the Astra chain keeps what lies above."""

SMALLEST_SIDE = 2
"""Voxels along each axis; below there is no spacing to resample."""


@dataclass(frozen=True, slots=True)
class VolumeRecipe:
    """How one network wants its volumes.

    spacing_mm: (R-L, A-P, S-I) to resample to, linear; None: keep the spacing and area-resize the
        foreground to `shape` instead.
    window: (low, high) in the unit of the voxels, mapped to 0 .. 1 and cut there.
    shape: (R-L, A-P, S-I) voxels of the result.
    """

    name: str
    spacing_mm: tuple[float, float, float] | None
    window: tuple[float, float]
    shape: tuple[int, int, int]


MERLIN = VolumeRecipe("merlin", (1.5, 1.5, 3.0), (-1000.0, 1000.0), (224, 224, 160))
"""The chain of the Merlin CT encoder: resample, window, pad and centre crop."""

ASTRA_CHEST = VolumeRecipe("astra-chest", None, (-1000.0, 200.0), (224, 224, 160))
"""The chain of the Astra chest CT trunk: cut to the body (HU > -1000), area resize, window."""


@dataclass(frozen=True, slots=True)
class ModelVolume:
    """What a volume network reads.

    voxels: float32 [1, 1, X, Y, Z], values in [0, 1], growing towards R, A, S.
    spacing_mm: of `voxels`, (X, Y, Z).
    recipe: name of the chain that made it.
    """

    voxels: NDArray[np.float32]
    spacing_mm: tuple[float, float, float]
    recipe: str


def to_model_volume(
    voxels: NDArray[np.int16] | NDArray[np.float32],
    spacing_mm: tuple[float, float, float],
    recipe: VolumeRecipe,
) -> ModelVolume:
    """Reorients, resamples, windows and fits one volume.

    voxels: int16 or float32 [D, H, W], growing towards (S, P, L); for CT Hounsfield units.
    spacing_mm: (between slices, between rows, between columns), millimetres, each above 0.
    Raises: ValueError if shape, spacing or values cannot be used.
    """
    if voxels.ndim != 3 or min(voxels.shape) < SMALLEST_SIDE:
        raise ValueError(f"a volume of shape {voxels.shape} cannot be read")
    if not all(np.isfinite(step) and step > 0 for step in spacing_mm):
        raise ValueError(f"spacing {spacing_mm} mm cannot be used")
    if not np.isfinite(voxels).all():
        raise ValueError("voxels hold values that are not finite")
    if recipe.spacing_mm is None and not (voxels > AIR).any():
        raise ValueError("the volume holds nothing but air")
    image = Flip(spatial_axis=(0, 1))(_as_monai(voxels, spacing_mm))  # to R, A, S
    chain = _resampled(recipe) if recipe.spacing_mm is not None else _resized(recipe)
    result = chain(image)  # [1, X, Y, Z]
    steps = [float(step) for step in result.pixdim]
    return ModelVolume(
        voxels=np.asarray(result.numpy(), dtype=np.float32)[None],
        spacing_mm=(steps[0], steps[1], steps[2]),
        recipe=recipe.name,
    )


def _as_monai(
    voxels: NDArray[np.int16] | NDArray[np.float32], spacing_mm: tuple[float, float, float]
) -> MetaTensor:
    """[1, W, H, D] with an affine that says where each axis runs, in MONAI's R, A, S."""
    values = np.ascontiguousarray(voxels.transpose(2, 1, 0), dtype=np.float32)[None]
    between_slices, between_rows, between_columns = spacing_mm
    affine = np.diag([-between_columns, -between_rows, between_slices, 1.0])
    return MetaTensor(torch.from_numpy(values), affine=torch.from_numpy(affine))


def _window(recipe: VolumeRecipe) -> ScaleIntensityRange:
    low, high = recipe.window
    return ScaleIntensityRange(low, high, 0.0, 1.0, clip=True)


def _resampled(recipe: VolumeRecipe) -> Compose:
    return Compose(
        [
            Spacing(pixdim=recipe.spacing_mm, mode="bilinear"),
            _window(recipe),
            SpatialPad(recipe.shape),
            CenterSpatialCrop(recipe.shape),
        ]
    )


def _resized(recipe: VolumeRecipe) -> Compose:
    return Compose(
        [
            CropForeground(select_fn=_is_body, allow_smaller=True),
            Resize(recipe.shape, mode="area"),
            _window(recipe),
        ]
    )


def _is_body(voxels: torch.Tensor) -> torch.Tensor:
    return voxels > AIR
