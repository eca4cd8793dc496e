"""Do these slices make a volume? Pure arithmetic on headers; every fault has a name and numbers.

Nothing is mended: a volume is regular, complete and along the patient's axes, or it is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from radgen.domain.errors import GeometryError
from radgen.domain.study import InstanceHeader

MIN_SLICES = 3
_AXIS_COSINE = 0.9998
"""Within 1.1 degrees of a patient axis: 5 mm over a chest, less than a voxel's worth of any sum."""
_SAME_DIRECTION = 1e-3
_SAME_SPACING_MM = 1e-3
_DUPLICATE_MM = 0.01
_SPACING_SLACK_MM = 0.1
"""Scanners round positions to a tenth of a millimetre."""
_SPACING_SLACK = 0.05
_MAX_TILT_DEG = 0.5
_MAX_SHIFT_MM = 0.5


class GeometryFault(StrEnum):
    """Why slices make no volume."""

    MULTI_FRAME = "multi-frame"
    NO_POSITION = "no-position"
    TOO_FEW_SLICES = "too-few-slices"
    MIXED_SIZE = "mixed-size"
    MIXED_SPACING = "mixed-spacing"
    MIXED_ORIENTATION = "mixed-orientation"
    BAD_ORIENTATION = "bad-orientation"
    DUPLICATE_POSITIONS = "duplicate-positions"
    GANTRY_TILT = "gantry-tilt"
    SHIFTED_SLICES = "shifted-slices"
    OBLIQUE = "oblique"
    MISSING_SLICES = "missing-slices"
    UNEVEN_SPACING = "uneven-spacing"
    TOO_LARGE = "too-large"


class StackFaultError(GeometryError):
    """A named fault of a stack of slices."""

    def __init__(self, fault: GeometryFault, detail: str) -> None:
        super().__init__(f"{fault.value}: {detail}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class StackGeometry:
    """A regular stack along the patient's axes.

    headers: in order of position along the normal, which is rows x columns (right-handed).
    directions: 3 x 3; the unit vector in patient coordinates (L, P, S) along which slices, rows
        and columns are counted.
    spacing_mm: between slices, between rows, between columns.
    """

    headers: tuple[InstanceHeader, ...]
    directions: NDArray[np.float64]
    spacing_mm: tuple[float, float, float]


def stack_geometry(headers: Sequence[InstanceHeader]) -> StackGeometry:
    """Sorts slices and checks that they make a volume.

    Raises: StackFaultError with the first fault found.
    """
    _check_alike(headers)
    row, column = _directions(headers[0])
    normal = np.cross(row, column)
    positions = np.array([header.position_mm for header in headers])
    order = np.argsort(positions @ normal, kind="stable")
    positions = positions[order]
    between = _slice_spacing(positions, normal, headers[0].gantry_tilt_deg or 0.0)
    directions = np.stack([normal, column, row])
    _check_aligned(directions)
    spacing = headers[0].pixel_spacing_mm or (0.0, 0.0)
    return StackGeometry(
        headers=tuple(headers[i] for i in order),
        directions=directions,
        spacing_mm=(between, spacing[0], spacing[1]),
    )


def _check_alike(headers: Sequence[InstanceHeader]) -> None:
    """Every header has what a slice needs, and the same of it."""
    many = sum(header.frames != 1 for header in headers)
    if many:
        raise StackFaultError(GeometryFault.MULTI_FRAME, f"{many} multi-frame instances")
    if len(headers) < MIN_SLICES:
        raise StackFaultError(GeometryFault.TOO_FEW_SLICES, f"{len(headers)} of {MIN_SLICES}")
    lacking = sum(
        not (header.position_mm and header.orientation and header.pixel_spacing_mm)
        for header in headers
    )
    if lacking:
        raise StackFaultError(
            GeometryFault.NO_POSITION, f"{lacking} of {len(headers)} without position or spacing"
        )
    sizes = {(header.rows, header.columns) for header in headers}
    if len(sizes) > 1:
        raise StackFaultError(GeometryFault.MIXED_SIZE, f"{sorted(sizes)[:4]}")
    _check_spread(
        GeometryFault.MIXED_SPACING, [header.pixel_spacing_mm or () for header in headers]
    )
    _check_spread(GeometryFault.MIXED_ORIENTATION, [header.orientation for header in headers])


def _check_spread(fault: GeometryFault, values: list[tuple[float, ...]]) -> None:
    spread = float(np.ptp(np.array(values), axis=0).max())
    if spread > _SAME_DIRECTION:
        raise StackFaultError(fault, f"values differ by up to {spread:.4g}")


def _directions(header: InstanceHeader) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors along which columns and rows are counted (PS3.3 C.7.6.2.1.1)."""
    row, column = np.array(header.orientation).reshape(2, 3)
    lengths = (float(np.linalg.norm(row)), float(np.linalg.norm(column)))
    if max(abs(length - 1.0) for length in lengths) > 0.01 or abs(float(row @ column)) > 0.01:
        raise StackFaultError(
            GeometryFault.BAD_ORIENTATION,
            f"lengths {lengths[0]:.3f} and {lengths[1]:.3f}, product {float(row @ column):.3f}",
        )
    return row / lengths[0], column / lengths[1]


def _slice_spacing(
    positions: NDArray[np.float64], normal: NDArray[np.float64], tilt_deg: float
) -> float:
    """Distance between slices in mm, once they are known to be even and straight.

    positions: [D, 3], sorted along `normal`.
    """
    steps = np.diff(positions @ normal)
    if steps.min() < _DUPLICATE_MM:
        count = int((steps < _DUPLICATE_MM).sum())
        raise StackFaultError(
            GeometryFault.DUPLICATE_POSITIONS, f"{count} slices where another one is"
        )
    _check_straight(positions, normal, tilt_deg)
    usual = float(np.median(steps))
    slack = max(_SPACING_SLACK_MM, _SPACING_SLACK * usual)
    _check_complete(steps, usual, slack)
    mean = float(steps.mean())
    worst = float(np.abs(steps - mean).max())
    if worst > slack:
        raise StackFaultError(
            GeometryFault.UNEVEN_SPACING, f"{steps.min():.2f} to {steps.max():.2f} mm"
        )
    return mean


def _check_straight(
    positions: NDArray[np.float64], normal: NDArray[np.float64], tilt_deg: float
) -> None:
    """Corners of the slices lie on one line along the normal."""
    track = positions[-1] - positions[0]
    along = float(track @ normal)
    aside = track - along * normal
    found_deg = float(np.degrees(np.arctan2(np.linalg.norm(aside), along)))
    if max(found_deg, abs(tilt_deg)) > _MAX_TILT_DEG:
        raise StackFaultError(
            GeometryFault.GANTRY_TILT,
            f"{found_deg:.1f} degrees by position, {tilt_deg:.1f} by header",
        )
    offsets = positions - positions[0]
    offsets -= np.outer(offsets @ normal / along, track)
    shift = float(np.linalg.norm(offsets, axis=1).max())
    if shift > _MAX_SHIFT_MM:
        raise StackFaultError(GeometryFault.SHIFTED_SLICES, f"up to {shift:.1f} mm aside")


def _check_complete(steps: NDArray[np.float64], usual: float, slack: float) -> None:
    """A gap of a whole number of usual steps is a slice that never came."""
    gaps = steps[steps > 1.5 * usual]
    if not gaps.size:
        return
    whole = np.round(gaps / usual)
    if float(np.abs(gaps - whole * usual).max()) > slack * float(whole.max()):
        raise StackFaultError(
            GeometryFault.UNEVEN_SPACING, f"{steps.min():.2f} to {steps.max():.2f} mm"
        )
    missing = int((whole - 1).sum())
    raise StackFaultError(
        GeometryFault.MISSING_SLICES,
        f"{missing} slices missing in {gaps.size} gaps, the widest {gaps.max():.1f} mm"
        f" where {usual:.1f} mm is usual",
    )


def _check_aligned(directions: NDArray[np.float64]) -> None:
    cosines = np.abs(directions).max(axis=1)
    if float(cosines.min()) < _AXIS_COSINE:
        angle = float(np.degrees(np.arccos(min(1.0, float(cosines.min())))))
        raise StackFaultError(GeometryFault.OBLIQUE, f"{angle:.1f} degrees off the patient's axes")
