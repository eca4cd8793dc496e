"""Pictures that are no upright chest radiograph: turned, inverted, empty, noise, everyday."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data as everyday

SIDE = 256

Pixels = NDArray[np.float32]


def inverted(pixels: Pixels) -> Pixels:
    """Bone dark instead of bright: a MONOCHROME1 picture read as MONOCHROME2."""
    return np.asarray(1.0 - pixels, dtype=np.float32)


def turned(pixels: Pixels, quarters: int) -> Pixels:
    """Turned by quarters of a circle."""
    return np.ascontiguousarray(np.rot90(pixels, quarters))


def blank(level: float) -> Pixels:
    """One grey value everywhere."""
    return np.full((SIDE, SIDE), level, dtype=np.float32)


def noise(rng: np.random.Generator, sigma: float) -> Pixels:
    """Noise, smoothed with a Gaussian of `sigma` pixels, spread over [0, 1]."""
    return _spread(ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), sigma))


def ramp(rng: np.random.Generator) -> Pixels:
    """A linear ramp in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return _spread(np.cos(angle) * rows + np.sin(angle) * columns)


def shapes(rng: np.random.Generator) -> Pixels:
    """A few bright ellipses and bars on black, as limbs and implants look at low resolution."""
    canvas = np.zeros((SIDE, SIDE))
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    for _ in range(int(rng.integers(1, 5))):
        y, x = rng.uniform(0.2, 0.8, size=2)
        height, width = rng.uniform(0.05, 0.6, size=2)
        angle = rng.uniform(0, np.pi)
        down = (rows - y) * np.cos(angle) + (columns - x) * np.sin(angle)
        across = (columns - x) * np.cos(angle) - (rows - y) * np.sin(angle)
        canvas += rng.uniform(0.3, 1.0) * ((down / height) ** 2 + (across / width) ** 2 < 1)
    canvas = ndimage.gaussian_filter(canvas, rng.uniform(0.5, 4.0))
    return _spread(canvas + rng.normal(scale=0.02, size=canvas.shape))


def scenes() -> list[Pixels]:
    """Everyday and microscope pictures that ship with scikit-image."""
    makers = (
        everyday.astronaut, everyday.brick, everyday.camera, everyday.cat, everyday.cell,
        everyday.coffee, everyday.coins, everyday.grass, everyday.gravel, everyday.horse,
        everyday.hubble_deep_field, everyday.immunohistochemistry, everyday.moon, everyday.page,
        everyday.retina, everyday.rocket, everyday.text, everyday.shepp_logan_phantom,
    )  # fmt: skip
    return [_grey(np.asarray(make())) for make in makers]


def synthetic(rng: np.random.Generator, count: int) -> list[Pixels]:
    """`count` pictures of each kind of nothing."""
    found: list[Pixels] = []
    for _ in range(count):
        found += [
            blank(float(rng.uniform())),
            noise(rng, sigma=0.0),
            noise(rng, sigma=float(rng.uniform(0.5, 40.0))),
            ramp(rng),
            shapes(rng),
        ]
    return found


def _grey(pixels: NDArray[np.generic]) -> Pixels:
    values = pixels.astype(np.float64)
    return _spread(values[..., :3].mean(axis=-1) if values.ndim == 3 else values)


def _spread(values: NDArray[np.float64]) -> Pixels:
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / max(high - low, 1e-9), dtype=np.float32)
