"""A chest of ellipsoids whose lung volumes and densities are known by construction."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

SPACING_MM = (4.0, 2.0, 2.0)
SHAPE = (75, 140, 182)
"""300 x 280 x 364 mm."""

BODY_HU, LUNG_HU, AIR_HU = 40, -860, -1000


@dataclass
class Phantom:
    """voxels: int16 [D, H, W] growing to head, back, left; the true lungs as bool."""

    voxels: np.ndarray
    right: np.ndarray
    left: np.ndarray
    spacing_mm: tuple[float, float, float] = field(default=SPACING_MM)

    def volume_ml(self, mask: np.ndarray) -> float:
        return float(mask.sum() * np.prod(self.spacing_mm) / 1000)


@pytest.fixture
def chest() -> Callable[..., Phantom]:
    """Builds a chest; `touching` lets the lungs meet in front of the heart."""
    return _chest


def _chest(*, noise: float = 20.0, touching: bool = False, trachea: bool = True) -> Phantom:
    z, y, x = (
        (np.arange(count, dtype=np.float32) * step).reshape([-1 if i == k else 1 for i in range(3)])
        for k, (count, step) in enumerate(zip(SHAPE, SPACING_MM, strict=True))
    )
    voxels = np.full(SHAPE, AIR_HU, dtype=np.float32)
    body = ((y - 140) / 115) ** 2 + ((x - 182) / 165) ** 2 < 1
    voxels[np.broadcast_to(body, SHAPE)] = BODY_HU
    right = _ellipsoid(z, y, x, (150, 145, 105), (110, 75, 55))
    left = _ellipsoid(z, y, x, (150, 145, 255), (100, 70, 50))
    if touching:
        bridge = _ellipsoid(z, y, x, (170, 85, 180), (25, 4, 60))
        right, left = right | (bridge & (x < 180)), left | (bridge & (x >= 180))
    voxels[right | left] = LUNG_HU
    if trachea:
        tube = ((y - 150) ** 2 + (x - 180) ** 2 < 9**2) & (z > 170)
        bronchi = (np.abs(z - 170) < 6) & (np.abs(y - 150) < 6) & (np.abs(x - 180) < 55)
        tube = tube | (bronchi & ~right & ~left)
        voxels[tube] = AIR_HU
    voxels += np.random.default_rng(1).normal(0, noise, SHAPE).astype(np.float32)
    return Phantom(np.rint(voxels).astype(np.int16), right, left)


def _ellipsoid(z, y, x, centre, radii):
    parts = ((axis - c) / r for axis, c, r in zip((z, y, x), centre, radii, strict=True))
    return sum(part**2 for part in parts) < 1
