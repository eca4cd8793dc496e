"""The shipped pack, its networks, and one real radiograph."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.decoder import ReportDecoder
from models.pack import PACKS, Pack, load_pack
from models.vision import VisionEncoder


@pytest.fixture(scope="session")
def pack() -> Pack:
    return load_pack(PACKS / "cxr-adult")


@pytest.fixture(scope="session")
def encoder(pack: Pack) -> VisionEncoder:
    return VisionEncoder(pack)


@pytest.fixture(scope="session")
def decoder(pack: Pack) -> ReportDecoder:
    return ReportDecoder(pack)


@pytest.fixture(scope="session")
def radiographs(shared_data: Path) -> list[NDArray[np.float32]]:
    """Test-split films of different patients, float32 [H, W] in [0, 1]."""
    folder = shared_data / "nih_cxr_1000"
    names = [line.split(",") for line in (folder / "labels.csv").read_text().splitlines()[1:]]
    first = {row[2]: row[0] for row in names if row[7] == "test"}
    return [read(folder / "images" / name) for name in sorted(first.values())[:20]]


def read(path: Path) -> NDArray[np.float32]:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255.0)
