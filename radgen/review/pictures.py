"""One stored image as PNG, drawn from our own store by ids the ledger knows.

What goes out is always drawn anew from pixels; no byte of a received file is served.
"""

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from radgen.dicom.read_header import read_header
from radgen.dicom.read_radiograph import read_radiograph
from radgen.domain.errors import StudyError
from radgen.ledger.ledger import Ledger

MAX_EDGE = 1600
"""Longest edge of a served picture in pixels; more than a page can show."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as PNG; columns and rows are those of the stored image."""

    png: bytes
    columns: int
    rows: int


def find_picture(ledger: Ledger, store_root: Path, study_uid: str, sop_uid: str) -> Picture | None:
    """The picture of one stored image; None if it is unknown, gone, or cannot be shown."""
    row = ledger.stored_instance(study_uid, sop_uid)
    if row is None or not row.is_image:
        return None
    root = store_root.resolve()
    path = (root / row.path).resolve()
    if not path.is_relative_to(root):
        return None
    try:
        return _draw(path)
    except (StudyError, OSError):
        return None


@lru_cache(maxsize=64)
def _draw(path: Path) -> Picture:
    pixels = read_radiograph(read_header(path)).pixels  # float32 [H, W] in [0, 1]
    rows, columns = pixels.shape
    image = Image.fromarray((pixels * 255).round().astype(np.uint8))
    image.thumbnail((MAX_EDGE, MAX_EDGE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return Picture(buffer.getvalue(), columns, rows)
