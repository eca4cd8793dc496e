"""Where the lungs are: air inside the body, without the airways, right apart from left.

Worked out on a coarse grid (block means) and carried back to every stored voxel; what is measured
is always the stored voxels themselves. No atlas and no learned shape: a mirrored volume gives
mirrored lungs.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

AIR_HU = -320.0
"""Half way between aerated lung (about -850) and soft tissue, towards tissue: vessels stay out."""

_COARSE_MM = 1.4
"""Blocks are as many pixels as fit into this."""
_COARSE_SLICE_MM = 2.0
_TISSUE_HU = -200.0
_MIN_BODY_FRACTION = 0.1
_MIN_LUNG_ML = 300.0
"""A smaller piece of air is bowel, or what a disease has left of a lung."""
_GAS_HU = -950.0
_MAX_GAS_FRACTION = 0.85
"""Stomach and bowel hold plain gas; even a badly emphysematous lung holds tissue."""
_AIRWAY_HU = -900.0
_TRACHEA_MM2 = (50.0, 900.0)
_AIRWAY_GROWTH = 1.8
"""From one slice to the next the tracked airway may grow this much, else it has leaked."""
_AIRWAY_START_MM = 60.0
"""The trachea is looked for this far down from the first slice."""
_MAX_EROSION_MM = 12.0
_CROPPED_FRACTION = 0.1
"""Lung area in an end slice, against the largest slice."""


class Failure(StrEnum):
    """Why lungs were not found."""

    NO_BODY = "no body found"
    NO_LUNGS = "no lungs found"
    ONE_LUNG = "only one lung found"
    MERGED = "right and left lung could not be told apart"
    SIDES = "the lungs do not lie on both sides of the body"
    IMPLAUSIBLE_VOLUME = "implausible lung volume"
    IMPLAUSIBLE_RATIO = "implausible ratio of right to left lung volume"
    CROPPED = "lung touches the first or the last slice"


class LungsNotFoundError(ValueError):
    """No lungs that can be measured; `failure` says why."""

    def __init__(self, failure: Failure, detail: str = "") -> None:
        super().__init__(f"{failure.value} {detail}".strip())
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Lungs:
    """bool [D, H, W] each, on the grid of the scan; disjoint."""

    right: NDArray[np.bool_]
    left: NDArray[np.bool_]

    @property
    def both(self) -> NDArray[np.bool_]:
        """Right or left."""
        return self.right | self.left


def find_lungs(voxels: NDArray[Any], spacing_mm: tuple[float, float, float]) -> Lungs:
    """Finds both lungs of a chest CT.

    voxels: [D, H, W] in HU; axes grow towards head, back and the patient's left.
    Returns: aerated voxels (below -320 HU) of each lung, airways left out.
    Raises: LungsNotFoundError with its `failure`.
    """
    blocks = _block_shape(voxels.shape, spacing_mm)
    coarse = _block_means(voxels, blocks)
    spacing = tuple(s * b for s, b in zip(spacing_mm, blocks, strict=True))
    body_middle = _body_middle(coarse)
    air = _inner_air(coarse)
    air &= ~_airways(coarse, air, spacing)
    right, left = _split(_lung_pieces(coarse, air, spacing), spacing)
    right, left = _by_side(right, left, body_middle)
    _check_whole(right | left)
    return _refined(voxels, right, left, blocks)


def _block_shape(shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> tuple[int, ...]:
    wanted = (_COARSE_SLICE_MM, _COARSE_MM, _COARSE_MM)
    return tuple(
        max(1, min(int(limit / step + 0.05), size))
        for limit, step, size in zip(wanted, spacing_mm, shape, strict=True)
    )


def _block_means(voxels: NDArray[Any], blocks: tuple[int, ...]) -> NDArray[np.float32]:
    """Means over whole blocks; a remainder at the end of an axis repeats its last voxel."""
    padding = [(0, -size % block) for size, block in zip(voxels.shape, blocks, strict=True)]
    padded = np.pad(voxels, padding, mode="edge") if any(p for _, p in padding) else voxels
    d, h, w = (size // block for size, block in zip(padded.shape, blocks, strict=True))
    # Summed axis by axis: a tenth of the time of a mean over three axes at once.
    summed = padded.reshape(d, blocks[0], *padded.shape[1:]).sum(axis=1, dtype=np.float32)
    summed = summed.reshape(d, h, blocks[1], -1).sum(axis=2)
    summed = summed.reshape(d, h, w, blocks[2]).sum(axis=3)
    means: NDArray[np.float32] = summed / np.float32(np.prod(blocks))
    return means


def _body_middle(coarse: NDArray[np.float32]) -> float:
    """Middle column of the body. Raises: LungsNotFoundError where there is hardly any tissue."""
    tissue = coarse > _TISSUE_HU
    if float(tissue.mean()) < _MIN_BODY_FRACTION:
        raise LungsNotFoundError(Failure.NO_BODY)
    columns = tissue.sum(axis=(0, 1))
    return float((columns * np.arange(columns.size)).sum() / columns.sum())


def _inner_air(coarse: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Air that does not reach a side of the field of view; the first and last slice do not count.

    A lung that the field of view cuts off counts as outside: it is then not found, and not
    measured.
    """
    air = coarse < AIR_HU
    labels, count = ndimage.label(air)
    rims = (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1])
    outside = np.zeros(count + 1, dtype=np.bool_)
    for rim in rims:
        outside[np.unique(rim)] = True
    outside[0] = True
    inner: NDArray[np.bool_] = ~outside[labels]
    return inner


def _airways(
    coarse: NDArray[np.float32], air: NDArray[np.bool_], spacing: tuple[float, ...]
) -> NDArray[np.bool_]:
    """Trachea and main bronchi, followed down slice by slice until they would leak into lung."""
    lumen = air & (coarse < _AIRWAY_HU)
    found = np.zeros_like(air)
    start, seed = _trachea(lumen, air, spacing)
    if seed is None:
        return found
    current, area = seed, float(seed.sum())
    for index in range(start, -1, -1):
        labels, _ = ndimage.label(lumen[index])
        touched = np.unique(labels[current])
        following = np.isin(labels, touched[touched > 0])
        grown = float(following.sum())
        if grown == 0 or grown > _AIRWAY_GROWTH * area + 10:
            break
        found[index] = following
        current, area = following, grown
    # One block more on every side takes the wall's partial volume along.
    wall = ndimage.generate_binary_structure(2, 1)[None]
    return np.asarray(ndimage.binary_dilation(found, wall, iterations=2))


def _trachea(
    lumen: NDArray[np.bool_], air: NDArray[np.bool_], spacing: tuple[float, ...]
) -> tuple[int, NDArray[np.bool_] | None]:
    """The highest slice with a roundish piece of air of a trachea's size, nearest to the middle."""
    depth = min(air.shape[0], int(_AIRWAY_START_MM / spacing[0]) + 1)
    for index in range(air.shape[0] - 1, air.shape[0] - 1 - depth, -1):
        labels, count = ndimage.label(lumen[index])
        pieces = [
            (abs(float(np.nonzero(piece)[1].mean()) - air.shape[2] / 2), number)
            for number in range(1, count + 1)
            if _is_tracheal(piece := labels == number, spacing)
        ]
        if pieces:
            return index, labels == min(pieces)[1]
    return 0, None


def _is_tracheal(piece: NDArray[np.bool_], spacing: tuple[float, ...]) -> bool:
    area = float(piece.sum()) * spacing[1] * spacing[2]
    if not _TRACHEA_MM2[0] <= area <= _TRACHEA_MM2[1]:
        return False
    rows, columns = np.nonzero(piece)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    return bool(0.4 < height / width < 2.5 and piece.sum() > 0.55 * height * width)


def _lung_pieces(
    coarse: NDArray[np.float32], air: NDArray[np.bool_], spacing: tuple[float, ...]
) -> NDArray[np.int32]:
    """Connected air that may be lung, largest first as 1, 2, ..."""
    labels, count = ndimage.label(air)
    sizes = np.bincount(labels.ravel(), minlength=count + 1).astype(np.float64)
    gas = np.bincount(labels[coarse < _GAS_HU], minlength=count + 1)
    block_ml = float(np.prod(spacing)) / 1000.0
    keep = [
        number
        for number in np.argsort(-sizes)
        if number != 0
        and sizes[number] * block_ml >= _MIN_LUNG_ML
        and gas[number] <= _MAX_GAS_FRACTION * sizes[number]
    ]
    if not keep:
        raise LungsNotFoundError(Failure.NO_LUNGS)
    names = np.zeros(count + 1, dtype=np.int32)
    names[keep] = np.arange(1, len(keep) + 1)
    pieces: NDArray[np.int32] = names[labels]
    return pieces


def _split(
    pieces: NDArray[np.int32], spacing: tuple[float, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The two lungs, in no order."""
    sizes = np.bincount(pieces.ravel())[1:]
    if len(sizes) > 1 and sizes[1] > 0.15 * sizes[0]:
        return pieces == 1, pieces == 2
    return _cut(pieces == 1, spacing)


def _cut(
    merged: NDArray[np.bool_], spacing: tuple[float, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two lungs that touch, usually in front of the heart: thinned until they part.

    Every block then belongs to the nearer of the two cores.
    """
    depth = ndimage.distance_transform_edt(np.pad(merged, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    step = min(spacing[1:])
    for erosion in np.arange(step, _MAX_EROSION_MM + step, step):
        labels, count = ndimage.label(depth > erosion)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        sizes[0] = 0
        first, second = (int(n) for n in np.argsort(-sizes)[:2])
        if count > 1 and sizes[second] > 0.25 * sizes[first]:
            cores = (labels == first, labels == second)
            far = [ndimage.distance_transform_edt(~core, sampling=spacing) for core in cores]
            nearer = far[0] <= far[1]
            return merged & nearer, merged & ~nearer
    raise LungsNotFoundError(Failure.MERGED if _is_wide(merged) else Failure.ONE_LUNG)


def _is_wide(piece: NDArray[np.bool_]) -> bool:
    """True if a piece of lung reaches over most of the picture, as two lungs do."""
    columns = np.nonzero(piece.any(axis=(0, 1)))[0]
    return bool(np.ptp(columns) > 0.6 * piece.shape[2])


def _by_side(
    one: NDArray[np.bool_], other: NDArray[np.bool_], middle: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(right, left): columns grow towards the patient's left."""
    centres = [float(np.nonzero(lung)[2].mean()) for lung in (one, other)]
    if not min(centres) < middle < max(centres):
        raise LungsNotFoundError(Failure.SIDES)
    return (one, other) if centres[0] < centres[1] else (other, one)


def _check_whole(lungs: NDArray[np.bool_]) -> None:
    areas = lungs.sum(axis=(1, 2))
    ends = max(int(areas[0]), int(areas[-1]))
    if ends > _CROPPED_FRACTION * int(areas.max()):
        share = 100.0 * ends / int(areas.max())
        raise LungsNotFoundError(Failure.CROPPED, f"({share:.0f} % of the largest area)")


def _refined(
    voxels: NDArray[Any],
    right: NDArray[np.bool_],
    left: NDArray[np.bool_],
    blocks: tuple[int, ...],
) -> Lungs:
    """Aerated stored voxels in the blocks of each lung and in those that touch it.

    Blocks at the rim hold both lung and wall; the threshold decides for each voxel of them. A rim
    block that touches both lungs goes to neither.
    """
    cross = ndimage.generate_binary_structure(3, 1)
    rims = [ndimage.binary_dilation(lung, cross) & ~lung for lung in (right, left)]
    aerated = voxels < AIR_HU
    wide = (right | (rims[0] & ~rims[1] & ~left), left | (rims[1] & ~rims[0] & ~right))
    fine = [_spread(coarse, blocks, voxels.shape) & aerated for coarse in wide]
    return Lungs(right=fine[0], left=fine[1])


def _spread(
    coarse: NDArray[np.bool_], blocks: tuple[int, ...], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Every block as its voxels."""
    fine = coarse
    for axis, block in enumerate(blocks):
        fine = np.repeat(fine, block, axis=axis)
    return fine[: shape[0], : shape[1], : shape[2]]
