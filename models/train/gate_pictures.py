"""Pictures of every kind that the gate learns and is tested on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.train.negatives import inverted, scenes, synthetic, turned
from models.train.radiographs import (
    KINDS,
    Picture,
    covid_frontals,
    hannover_frontals,
    laterals_and_ct,
    read_pixels,
)

SYNTHETIC_TRAIN, SYNTHETIC_TEST = 40, 10
ALTERED_TRAIN, ALTERED_TEST = 200, 60
SEED_TRAIN, SEED_TEST = 11, 12


@dataclass(frozen=True, slots=True)
class GateExample:
    """pixels: float32 [H, W] in [0, 1]. kind: one of KINDS. group: patient, or what made it."""

    pixels: NDArray[np.float32]
    kind: str
    group: str

    @property
    def number(self) -> int:
        """Place of the kind in the gate's scores."""
        return KINDS.index(self.kind)


def gate_examples(data: Path, nih: list[Picture], split: str) -> Iterator[GateExample]:
    """Every example of `split` ("train" or "test").

    nih: frontal radiographs of that split; the labels are not used.
    """
    others = [*covid_frontals(data), *hannover_frontals(data), *laterals_and_ct(data)]
    for picture in (*nih, *(other for other in others if other.split == split)):
        yield GateExample(read_pixels(picture.path), picture.kind, picture.patient)
    wanted = ALTERED_TRAIN if split == "train" else ALTERED_TEST
    for number, picture in enumerate(nih[:: max(1, len(nih) // wanted)]):
        pixels = read_pixels(picture.path)
        yield GateExample(inverted(pixels), "inverted", picture.patient)
        yield GateExample(turned(pixels, 1 + number % 3), "rotated", picture.patient)
    yield from _nothing(split)


def _nothing(split: str) -> Iterator[GateExample]:
    is_train = split == "train"
    rng = np.random.default_rng(SEED_TRAIN if is_train else SEED_TEST)
    for number, pixels in enumerate(
        synthetic(rng, SYNTHETIC_TRAIN if is_train else SYNTHETIC_TEST)
    ):
        yield GateExample(pixels, "other", f"made-{number}")
    for number, pixels in enumerate(scenes()):
        if (number % 3 == 0) != is_train:
            yield GateExample(pixels, "other", f"scene-{number}")
