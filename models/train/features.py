"""Pictures -> pooled features, in batches, with a progress bar."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from models.preprocess.radiograph import to_model_input
from models.train.network import CHANNELS, Backbone, pooled_features

BATCH = 16


def extract(
    backbone: Backbone, pictures: Iterable[NDArray[np.float32]], total: int, title: str
) -> NDArray[np.float32]:
    """Features of every picture.

    pictures: each float32 [H, W] in [0, 1].
    Returns: float32 [total, 1280].
    """
    inputs = (to_model_input(pixels).image for pixels in pictures)
    found = [
        pooled_features(backbone, np.concatenate(group))
        for group in _groups(track(inputs, title, total=total))
    ]
    return np.concatenate(found) if found else np.zeros((0, CHANNELS), dtype=np.float32)


def _groups(items: Iterable[NDArray[np.float32]]) -> Iterator[Sequence[NDArray[np.float32]]]:
    group: list[NDArray[np.float32]] = []
    for item in items:
        group.append(item)
        if len(group) == BATCH:
            yield group
            group = []
    if group:
        yield group
