"""Films of an analytic thorax, a hand, a breast: every shape is a formula, so its truth is known.

A film is the path length through ellipsoids along the beam, weighted like tissue. Millimetres, x to
the patient's left (picture right, as a chest film hangs), y to the feet, origin mid-chest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgen.domain.finding import Side

Image = NDArray[np.float32]

# Attenuation per millimetre, about 70 keV: water, and what bone adds to it.
_WATER, _BONE = 0.020, 0.030
_BODY_MM = (165.0, 105.0)  # half width, half depth
_LUNG_MM = (56.0, 118.0, 78.0)  # half axes x, y, depth of each lung
_LUNG_X_MM = 74.0
_AIR_SHARE = 0.78  # of the lung's volume


@dataclass(frozen=True, slots=True)
class Thorax:
    """What stands out in one chest film.

    heart_width_mm: transverse diameter; the cardiothoracic ratio follows from it.
    effusion: side with a meniscus. opacity: side with a dense round patch of 25 mm radius.
    scale: 1 for an adult, about 0.55 for a child of six.
    """

    heart_width_mm: float = 118.0
    effusion: Side | None = None
    opacity: Side | None = None
    scale: float = 1.0

    @property
    def cardiothoracic_ratio(self) -> float:
        """Heart width over the inner width of the chest, both as drawn."""
        return self.heart_width_mm / (2.0 * (_LUNG_X_MM + _LUNG_MM[0]))


def frontal_chest(thorax: Thorax, size: int, spacing_mm: float, seed: int) -> NDArray[np.uint16]:
    """Posterior-anterior film, uint16 [size, size], 12 bits, bone bright."""
    x, y = _grid(size, spacing_mm / thorax.scale)
    lungs = _ellipsoid(x, y, (-_LUNG_X_MM, 0.0), _LUNG_MM)
    lungs += _ellipsoid(x, y, (_LUNG_X_MM, 0.0), _LUNG_MM)
    # Diaphragm domes: the right one stands a little higher.
    for centre, top in ((-_LUNG_X_MM, 78.0), (_LUNG_X_MM, 88.0)):
        dome = top + 0.008 * (x - centre) ** 2
        lungs = np.where((np.sign(x) == np.sign(centre)) & (y > dome), 0.0, lungs)
    lungs = _fill(lungs, _effusion(x, y, thorax.effusion), depth_mm=120.0)
    lungs = _fill(lungs, _patch(x, y, thorax.opacity), depth_mm=45.0)
    half = thorax.heart_width_mm / 2.0
    # Two thirds of the heart lie left of the midline.
    heart = _ellipsoid(x, y, (half / 3.0, 48.0), (half, 56.0, 48.0))
    water = _body(x) - _AIR_SHARE * np.clip(lungs - heart, 0.0, None)
    airway = np.where((np.abs(x) < 9.0) & (y < -30.0), 16.0, 0.0)
    bone = _spine(x, y) + _ribs(x, y) + _clavicles(x, y)
    return _exposed(_WATER * (water - airway) + _BONE * bone, seed)


def lateral_chest(size: int, spacing_mm: float, seed: int) -> NDArray[np.uint16]:
    """Left lateral film: x runs from the breast bone to the back."""
    x, y = _grid(size, spacing_mm)
    lungs = _ellipsoid(x, y, (5.0, 0.0), (88.0, 118.0, 110.0))
    lungs = np.where(y > 80.0 - 0.004 * (x - 60.0) ** 2, 0.0, lungs)
    heart = _ellipsoid(x, y, (-35.0, 45.0), (48.0, 56.0, 60.0))
    body = 2.0 * _BODY_MM[0] * np.sqrt(np.clip(1.0 - (x / _BODY_MM[1]) ** 2, 0.0, None))
    bone = 45.0 * np.exp(-(((x - 82.0) / 14.0) ** 2)) * (0.75 + 0.25 * np.sign(np.sin(y / 4.2)))
    bone += 12.0 * np.exp(-(((x + 92.0 - 0.05 * y) / 5.0) ** 2)) + 0.4 * _ribs(1.6 * x, y)
    water = body - _AIR_SHARE * np.clip(lungs - heart, 0.0, None)
    # A sideways beam crosses twice the tissue; the tube is set harder for it.
    return _exposed(0.6 * (_WATER * water + _BONE * bone), seed)


def hand(size: int, spacing_mm: float, seed: int) -> NDArray[np.uint16]:
    """A hand, palm down, fingers up."""
    x, y = _grid(size, spacing_mm)
    soft = _ellipsoid(x, y, (0.0, 35.0), (42.0, 50.0, 13.0))
    soft = np.maximum(soft, _ellipsoid(x, y, (0.0, 110.0), (30.0, 60.0, 16.0)))
    bone = _ellipsoid(x, y, (0.0, 78.0), (27.0, 14.0, 8.0))
    for finger in range(5):
        root = np.array([-34.0 + 17.0 * finger, 62.0])
        angle = np.radians(-24.0 + 12.0 * finger)
        way = np.array([np.sin(angle), -np.cos(angle)])
        start = 0.0
        for length in np.array([46.0, 32.0, 22.0, 16.0]) * (0.72 if finger == 0 else 1.0):
            near, far = root + way * start, root + way * (start + length - 4.0)
            distance = _to_segment(x, y, near, far)
            soft = np.maximum(soft, 2.0 * np.sqrt(np.clip(81.0 - distance**2, 0.0, None)))
            bone = np.maximum(bone, 2.0 * np.sqrt(np.clip(14.0 - distance**2, 0.0, None)))
            start += length
    return _exposed(3.0 * (_WATER * soft + _BONE * bone), seed)


def breast(size: int, spacing_mm: float, seed: int) -> NDArray[np.uint16]:
    """Right breast, medio-lateral oblique, chest wall at the right edge of the picture."""
    x, y = _grid(size, spacing_mm)
    wall = size * spacing_mm / 2.0
    depth = _ellipsoid(x, y, (wall, 0.0), (90.0, 95.0, 25.0))
    ducts = np.sin(x / 3.1 + np.sin(y / 7.0)) * np.sin(y / 3.7 + np.sin(x / 9.0))
    return _exposed(0.05 * depth * (1.0 + 0.18 * ducts), seed)


def ultrasound(size: int, seed: int) -> NDArray[np.uint8]:
    """Sector scan with speckle and one dark cyst, uint8 [size, size]."""
    rng = np.random.default_rng(seed)
    x, y = _grid(size, 1.0)
    y = y + size / 2.0
    inside = (np.abs(x) < 0.7 * y + 10.0) & (np.hypot(x, y) < 0.95 * size)
    echo = 90.0 * rng.rayleigh(0.8, (size, size)) * np.exp(-y / (1.3 * size))
    echo = np.where(np.hypot(x, y - 0.5 * size) < 0.1 * size, 6.0, echo)
    return np.clip(np.where(inside, echo, 0.0), 0, 255).astype(np.uint8)


def _grid(size: int, spacing_mm: float) -> tuple[Image, Image]:
    axis = ((np.arange(size) - (size - 1) / 2.0) * spacing_mm).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def _ellipsoid(
    x: Image, y: Image, centre: tuple[float, float], axes: tuple[float, float, float]
) -> Image:
    """Path length through an ellipsoid, millimetres. axes: half axes x, y, along the beam."""
    inside = 1.0 - ((x - centre[0]) / axes[0]) ** 2 - ((y - centre[1]) / axes[1]) ** 2
    return np.asarray(2.0 * axes[2] * np.sqrt(np.clip(inside, 0.0, None)), np.float32)


def _body(x: Image) -> Image:
    width, depth = _BODY_MM
    return (2.0 * depth * np.sqrt(np.clip(1.0 - (x / width) ** 2, 0.0, None))).astype(np.float32)


def _on(x: Image, side: Side) -> NDArray[np.bool_]:
    return x < 0 if side is Side.RIGHT else x > 0


def _effusion(x: Image, y: Image, side: Side | None) -> Image:
    """1 where fluid lies, rising towards the chest wall as an upright meniscus does."""
    if side is None:
        return np.zeros_like(x)
    level = 45.0 - 0.010 * np.clip(np.abs(x) - 60.0, 0.0, None) ** 2
    return np.asarray(_on(x, side) & (y > level), np.float32)


def _patch(x: Image, y: Image, side: Side | None) -> Image:
    if side is None:
        return np.zeros_like(x)
    centre = -_LUNG_X_MM if side is Side.RIGHT else _LUNG_X_MM
    distance = np.hypot(x - centre, y + 25.0)
    # A ball's depth, soft at the rim.
    return np.asarray(np.clip((28.0 - distance) / 6.0, 0.0, 1.0), np.float32)


def _fill(lungs: Image, share: Image, depth_mm: float) -> Image:
    """Replaces up to `depth_mm` of lung by water where `share` is 1."""
    return np.asarray(lungs - np.minimum(lungs, depth_mm * share), np.float32)


def _spine(x: Image, y: Image) -> Image:
    discs = 0.8 + 0.2 * np.sign(np.sin(y / 4.2))
    return np.where(np.abs(x) < 17.0, 30.0 * discs, 0.0).astype(np.float32)


def _ribs(x: Image, y: Image) -> Image:
    """Nine pairs of arches falling from the spine to the flank."""
    total = np.zeros_like(x)
    for rib in range(9):
        arch = -118.0 + 25.0 * rib + 0.30 * np.abs(x) + 0.0016 * x**2
        total += 7.0 * np.exp(-(((y - arch) / 4.5) ** 2))
    return np.asarray(total * (np.abs(x) < 140.0), np.float32)


def _clavicles(x: Image, y: Image) -> Image:
    band = np.exp(-(((y + 112.0 + 0.12 * np.abs(x)) / 5.0) ** 2))
    return np.where((np.abs(x) > 18.0) & (np.abs(x) < 130.0), 11.0 * band, 0.0).astype(np.float32)


def _to_segment(x: Image, y: Image, near: NDArray[np.float64], far: NDArray[np.float64]) -> Image:
    """Distance of every pixel from the segment near-far."""
    way = far - near
    along = ((x - near[0]) * way[0] + (y - near[1]) * way[1]) / float(way @ way)
    along = np.clip(along, 0.0, 1.0)
    beside = np.hypot(x - near[0] - along * way[0], y - near[1] - along * way[1])
    return np.asarray(beside, np.float32)


def _exposed(attenuation: Image, seed: int) -> NDArray[np.uint16]:
    """What a detector makes of it: 12 bits, noise by seed, dense is bright."""
    rng = np.random.default_rng(seed)
    noisy = attenuation + rng.normal(0.0, 0.015, attenuation.shape)
    return np.clip(noisy * (4095.0 / 6.5), 0, 4095).astype(np.uint16)
