"""Six numbers of a chest CT, each with its method, or the reason why it is not given."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.ct_quant.kernel import Kernel, classify_kernel
from models.ct_quant.lungs import Failure, Lungs, LungsNotFoundError, find_lungs

LAA_HU = -950
MAX_DENSITOMETRY_MM = 3.0
"""Thicker slices average small emphysema away."""
PLAUSIBLE_TOTAL_ML = (1000.0, 10000.0)
PLAUSIBLE_RIGHT_TO_LEFT = (0.5, 2.0)

_VOLUME_METHOD = "aerated voxels below -320 HU, airways left out"
_DENSITY_METHOD = "mean over both lungs, vessels and airways left out"
_LAA_METHOD = "share of lung voxels below -950 HU"
_PD15_METHOD = "15th percentile of the lung voxels"


class Reason(StrEnum):
    """Why a quantity is not given: ids of the caller's table of reasons."""

    SEGMENTATION_FAILED = "segmentation-failed"
    CROPPED = "cropped"
    OTHER_KERNEL = "other-kernel"
    THICK_SLICES = "thick-slices"


@dataclass(frozen=True, slots=True)
class ChestScan:
    """One CT series.

    voxels: [D, H, W] in HU; axes grow towards head, back and the patient's left.
    kernel: as the scanner names it, "" where unknown.
    slice_thickness_mm: None where unknown; the slice spacing then stands for it.
    contrast: True where the header names a contrast agent.
    """

    voxels: NDArray[Any]
    spacing_mm: tuple[float, float, float]
    kernel: str = ""
    slice_thickness_mm: float | None = None
    contrast: bool = False


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measured value, or the reason why there is none: exactly one of the two is None.

    name: id of the caller's table of quantities. unit: UCUM. side: "right", "left" or None.
    """

    name: str
    unit: str
    method: str
    side: str | None = None
    value: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class CtQuantities:
    """What was measured on one scan; always the same six quantities in the same order.

    key_slice: index of the slice with the largest lung area, None where no lungs were found.
    failure: why the lungs were not measured, in a few words; "" where they were.
    contrast: True where contrast medium may have raised the densities.
    """

    quantities: tuple[Quantity, ...]
    key_slice: int | None
    failure: str
    contrast: bool


def measure_chest(scan: ChestScan) -> CtQuantities:
    """Measures lung volumes and densities.

    Densitometry (LAA-950, 15th percentile) needs a soft kernel and slices of at most 3 mm. Nothing
    is measured when a lung is cut off, missing, or of an implausible size.
    """
    try:
        lungs = find_lungs(scan.voxels, scan.spacing_mm)
        volumes = _volumes_ml(lungs, scan.spacing_mm)
    except LungsNotFoundError as error:
        cropped = error.failure is Failure.CROPPED
        reason = Reason.CROPPED if cropped else Reason.SEGMENTATION_FAILED
        return _not_assessed(reason, str(error), scan)
    values = scan.voxels[lungs.both]
    densitometry = _densitometry_reason(scan)
    quantities = (
        _quantity("lung-volume-total", sum(volumes)),
        _quantity("lung-volume-right", volumes[0]),
        _quantity("lung-volume-left", volumes[1]),
        _quantity("mean-lung-density", float(values.mean())),
        _quantity("laa-950", 100.0 * float((values < LAA_HU).mean()), densitometry),
        _quantity("percentile-density-15", float(np.percentile(values, 15)), densitometry),
    )
    key_slice = int(lungs.both.sum(axis=(1, 2)).argmax())
    return CtQuantities(quantities, key_slice, failure="", contrast=scan.contrast)


_KINDS: dict[str, tuple[str, str, str | None]] = {
    "lung-volume-total": ("ml", _VOLUME_METHOD, None),
    "lung-volume-right": ("ml", _VOLUME_METHOD, "right"),
    "lung-volume-left": ("ml", _VOLUME_METHOD, "left"),
    "mean-lung-density": ("[hnsf'U]", _DENSITY_METHOD, None),
    "laa-950": ("%", _LAA_METHOD, None),
    "percentile-density-15": ("[hnsf'U]", _PD15_METHOD, None),
}


def _quantity(name: str, value: float | None, reason: Reason | None = None) -> Quantity:
    unit, method, side = _KINDS[name]
    kept = value if reason is None else None
    return Quantity(name, unit, method, side=side, value=kept, reason=reason)


def _not_assessed(reason: Reason, failure: str, scan: ChestScan) -> CtQuantities:
    quantities = tuple(_quantity(name, None, reason) for name in _KINDS)
    return CtQuantities(quantities, key_slice=None, failure=failure, contrast=scan.contrast)


def _volumes_ml(lungs: Lungs, spacing_mm: tuple[float, float, float]) -> tuple[float, float]:
    """(right, left). Raises: LungsNotFoundError where the pair is not one a body has."""
    voxel_ml = float(np.prod(spacing_mm)) / 1000.0
    right, left = int(lungs.right.sum()) * voxel_ml, int(lungs.left.sum()) * voxel_ml
    if not PLAUSIBLE_TOTAL_ML[0] <= right + left <= PLAUSIBLE_TOTAL_ML[1]:
        raise LungsNotFoundError(Failure.IMPLAUSIBLE_VOLUME, f"({right + left:.0f} ml)")
    if not PLAUSIBLE_RIGHT_TO_LEFT[0] <= right / left <= PLAUSIBLE_RIGHT_TO_LEFT[1]:
        raise LungsNotFoundError(Failure.IMPLAUSIBLE_RATIO, f"({right / left:.2f})")
    return right, left


def _densitometry_reason(scan: ChestScan) -> Reason | None:
    if classify_kernel(scan.kernel) is not Kernel.SOFT:
        return Reason.OTHER_KERNEL
    thickness = scan.slice_thickness_mm or scan.spacing_mm[0]
    return Reason.THICK_SLICES if thickness > MAX_DENSITOMETRY_MM else None
