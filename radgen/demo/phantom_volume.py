"""A chest CT of ellipsoids in Hounsfield units, with a pleural effusion of known volume.

Millimetres, x to the patient's left, y to the back, z to the head, origin mid-chest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgen.domain.finding import Side

Mask = NDArray[np.bool_]

# Hounsfield units.
AIR, LUNG, FAT, FLUID, SOFT, BLOOD, LIVER, SPONGE, BONE = -1000, -860, -100, 8, 40, 48, 58, 180, 650


@dataclass(frozen=True, slots=True)
class ChestVolume:
    """A made volume and its truth.

    hu: int16 [D, H, W], slice 0 lowest, rows to the back, columns to the patient's left.
    spacing_mm: (between slices, rows, columns). effusion_ml: counted from the voxels.
    """

    hu: NDArray[np.int16]
    spacing_mm: tuple[float, float, float]
    effusion_ml: float


@dataclass(frozen=True, slots=True)
class VolumeShape:
    """Grid of a volume: slices, matrix (rows = columns), and voxel size in millimetres."""

    slices: int = 40
    matrix: int = 512
    slice_mm: float = 7.5
    pixel_mm: float = 0.75


def chest_volume(
    seed: int,
    effusion: Side | None = None,
    effusion_ml: float = 0.0,
    shape: VolumeShape | None = None,
) -> ChestVolume:
    """A supine chest; fluid lies at the back of one pleural space.

    effusion_ml: asked for; `ChestVolume.effusion_ml` is what the voxels hold.
    """
    grid = shape or VolumeShape()
    rng = np.random.default_rng(seed)
    z, y, x = _axes(grid)
    hu = np.full((grid.slices, grid.matrix, grid.matrix), AIR, np.float32)
    body = (x / 170.0) ** 2 + (y / 112.0) ** 2 < 1.0
    hu[np.broadcast_to(body, hu.shape)] = FAT
    muscle = (x / 158.0) ** 2 + (y / 100.0) ** 2 < 1.0
    hu[np.broadcast_to(muscle, hu.shape)] = SOFT
    _put(hu, _ribs(x, y, z), BONE)
    lungs = {side: _lung(x, y, z, side) for side in (Side.RIGHT, Side.LEFT)}
    for lung in lungs.values():
        hu[lung] = LUNG
    _mediastinum(hu, x, y, z)
    for lung in lungs.values():
        _vessels(hu, lung & (hu == LUNG), (y, x), rng)
    voxel_ml = grid.slice_mm * grid.pixel_mm**2 / 1000.0
    placed = 0.0
    if effusion is not None:
        # Counted where air is now: fluid spares heart and vessels.
        fluid = _fluid(lungs[effusion] & (hu == LUNG), effusion_ml / voxel_ml)
        hu[fluid] = FLUID
        placed = float(fluid.sum()) * voxel_ml
    hu += rng.standard_normal(hu.shape, dtype=np.float32) * 9.0
    stored = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    return ChestVolume(stored, (grid.slice_mm, grid.pixel_mm, grid.pixel_mm), placed)


def _axes(
    grid: VolumeShape,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Coordinates that broadcast to [D, H, W]."""
    plane = ((np.arange(grid.matrix) - (grid.matrix - 1) / 2.0) * grid.pixel_mm).astype(np.float32)
    stack = ((np.arange(grid.slices) - (grid.slices - 1) / 2.0) * grid.slice_mm).astype(np.float32)
    return stack[:, None, None], plane[None, :, None], plane[None, None, :]


def _put(hu: NDArray[np.float32], mask: Mask, value: float) -> None:
    hu[np.broadcast_to(mask, hu.shape)] = value


def _lung(
    x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32], side: Side
) -> Mask:
    """An ellipsoid cut off below by the dome of the diaphragm; the right dome is higher."""
    centre, top = (-76.0, -62.0) if side is Side.RIGHT else (76.0, -74.0)
    inside = ((x - centre) / 60.0) ** 2 + (y / 84.0) ** 2 + ((z + 5.0) / 128.0) ** 2 < 1.0
    dome = top - 0.006 * ((x - centre) ** 2 + y**2)
    return np.asarray(inside & (z > dome))


def _fluid(lung: Mask, voxels: float) -> Mask:
    """The `voxels` hindmost voxels of the lung: fluid of a patient on the back lies there."""
    rows = np.nonzero(lung)[1]
    wanted = min(round(voxels), rows.size)
    order = np.argsort(-rows, kind="stable")[:wanted]
    fluid = np.zeros_like(lung)
    fluid[tuple(axis[order] for axis in np.nonzero(lung))] = True
    return fluid


def _vessels(
    hu: NDArray[np.float32],
    lung: Mask,
    axes: tuple[NDArray[np.float32], NDArray[np.float32]],
    rng: np.random.Generator,
) -> None:
    """Short round vessels, so that lung is not one flat value."""
    y, x = axes
    where = np.argwhere(lung[::2, ::8, ::8]) * np.array([2, 8, 8])
    for at in where[rng.choice(len(where), size=60, replace=False)]:
        radius = rng.uniform(1.5, 4.0)
        rows = slice(max(int(at[1]) - 8, 0), int(at[1]) + 9)
        columns = slice(max(int(at[2]) - 8, 0), int(at[2]) + 9)
        distance = np.hypot(y[0, rows, :] - y[0, at[1], 0], x[0, :, columns] - x[0, 0, at[2]])
        part = (int(at[0]), rows, columns)
        hu[part] = np.where((distance < radius) & lung[part], BLOOD, hu[part])


def _ribs(x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32]) -> Mask:
    """Rings around the lungs that fall to the front, so each slice cuts several."""
    ring = (x / 148.0) ** 2 + (y / 94.0) ** 2
    height = np.mod(z - 0.35 * y + 0.1 * np.abs(x), 28.0)
    return np.asarray((ring > 0.93) & (ring < 1.03) & (height < 10.0) & (np.abs(x) > 22.0))


def _mediastinum(
    hu: NDArray[np.float32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
) -> None:
    """Heart, aorta, windpipe and main bronchi, spine, breast bone, liver."""
    _put(hu, (np.abs(x) < 24.0) & (np.abs(y) < 80.0) & (z > -90.0), SOFT)
    heart = ((x - 20.0) / 62.0) ** 2 + ((y + 22.0) / 52.0) ** 2 + ((z + 35.0) / 58.0) ** 2
    _put(hu, heart < 1.0, BLOOD)
    _put(hu, np.hypot(x - 26.0, y - 42.0) + 0.0 * z < 12.0, BLOOD)
    _put(hu, (np.hypot(x, y - 5.0) < 9.0) & (z > 25.0), AIR)
    for way in (-1.0, 1.0):
        drop = 25.0 - z
        along = np.hypot(x - way * 0.8 * drop, y - 5.0) < 6.0
        _put(hu, along & (drop >= 0.0) & (drop < 45.0), AIR)
    spine = np.hypot(x, (y - 72.0) * 1.1) + 0.0 * z
    _put(hu, spine < 19.0, SPONGE)
    _put(hu, (spine >= 16.5) & (spine < 19.0), BONE)
    _put(hu, np.hypot(x, y - 88.0) + 0.0 * z < 8.0, SOFT)
    _put(hu, (np.abs(x) < 16.0) & (np.abs(y + 93.0) < 5.0) & (z > -60.0), SPONGE)
    liver = ((x + 60.0) / 85.0) ** 2 + (y / 80.0) ** 2 < 1.0
    _put(hu, liver & (z < -100.0) & (hu == SOFT), LIVER)
