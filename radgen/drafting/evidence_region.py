"""From an activation map to regions of the picture and to a side of the patient; pure.

On a frontal film the picture's left is the patient's right, PA and AP alike. A side is a strong
word: it is given only where every region lies wholly in one half of the picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from models.contract import IMAGE_SIZE
from models.preprocess.radiograph import ModelGeometry
from radgen.domain.finding import Box, Side

CELL = 32
"""Pixels of the model's input for one cell of the map."""

# Chosen by mirroring 450 films of nih_cxr_1000 under cxr-adult 0.1.0 (130 present findings): at
# 0.4 and 0.25 no film and its mirror image named opposite sides and 25 pairs agreed on one side;
# at 0.5 and 0.5 four pairs contradicted each other, at 0.7 and 0.5 ten.
LEVEL = 0.4
"""A region is what reaches this share of the way from the map's median to its peak."""

COMPANION = 0.25
"""A further region is kept if it weighs at least this share of the heaviest one."""

WHOLE = 0.6
"""Regions over more than this share of the picture point at nothing."""

MIDLINE_TOLERANCE = 4.0
"""Pixels of the model's input by which a region may cross the middle; one eighth of a cell."""


@dataclass(frozen=True, slots=True)
class Regions:
    """What a map points at. boxes: in pixels of the picture, heaviest first; may be empty."""

    boxes: tuple[Box, ...]
    side: Side | None


def find_regions(activation: NDArray[np.float32], geometry: ModelGeometry) -> Regions:
    """Regions of high activation within the picture.

    activation: float32 [h, w], one label's map; cell (r, c) covers 32 x 32 input pixels.
    """
    cells = _cells_in_picture(activation.shape, geometry)
    inside = activation[cells]
    if inside.size == 0 or float(np.ptp(inside)) <= 0:
        return Regions((), None)
    floor = float(np.median(inside))
    height = np.where(cells, activation - floor, 0.0)
    high = height >= LEVEL * float(height.max())
    if not height.max() > 0 or high.sum() > WHOLE * cells.sum():
        return Regions((), None)
    squares = [_square(piece) for piece in _heaviest(high, height)]
    boxes = [box for box in (_box(square, geometry) for square in squares) if box is not None]
    return Regions(tuple(boxes), _side_of(squares, geometry))


Square = tuple[float, float, float, float]  # left, top, right, bottom in input pixels


def _cells_in_picture(shape: tuple[int, ...], geometry: ModelGeometry) -> NDArray[np.bool_]:
    """Where a cell's centre lies in the picture, bool [h, w]; the padding holds only noise."""
    rows = (np.arange(shape[0]) + 0.5) * CELL
    columns = (np.arange(shape[1]) + 0.5) * CELL
    bottom = geometry.top + geometry.height * geometry.scale_y
    right = geometry.left + geometry.width * geometry.scale_x
    in_rows = (rows >= geometry.top) & (rows <= min(bottom, IMAGE_SIZE))
    in_columns = (columns >= geometry.left) & (columns <= min(right, IMAGE_SIZE))
    return np.asarray(in_rows[:, None] & in_columns[None, :])


def _heaviest(high: NDArray[np.bool_], height: NDArray[np.float32]) -> list[NDArray[np.bool_]]:
    """Connected pieces of `high`, heaviest first, without the light ones."""
    labels, count = ndimage.label(high)
    numbers = range(1, count + 1)
    weights = {number: float(height[labels == number].sum()) for number in numbers}
    heaviest = max(weights.values())
    order = sorted(numbers, key=lambda number: -weights[number])
    return [labels == number for number in order if weights[number] >= COMPANION * heaviest]


def _square(piece: NDArray[np.bool_]) -> Square:
    rows, columns = np.nonzero(piece)
    return (
        float(columns.min() * CELL),
        float(rows.min() * CELL),
        float((columns.max() + 1) * CELL),
        float((rows.max() + 1) * CELL),
    )


def _box(square: Square, geometry: ModelGeometry) -> Box | None:
    corners = geometry.to_image_box(square)
    return None if corners is None else Box(*corners)


def _side_of(squares: list[Square], geometry: ModelGeometry) -> Side | None:
    """RIGHT, LEFT, BILATERAL where each side has a region, None where one spans the middle."""
    middle = geometry.left + geometry.width * geometry.scale_x / 2
    sides = set()
    for left, _, right, _ in squares:
        if right <= middle + MIDLINE_TOLERANCE:
            sides.add(Side.RIGHT)
        elif left >= middle - MIDLINE_TOLERANCE:
            sides.add(Side.LEFT)
        else:
            return None
    return Side.BILATERAL if len(sides) > 1 else next(iter(sides), None)
