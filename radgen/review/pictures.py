"""One stored image as PNG, drawn from our own store by ids the ledger knows.

What goes out is always drawn anew from pixels; no byte of a received file is served.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from radgen.dicom.read_header import read_header
from radgen.dicom.read_radiograph import read_radiograph
from radgen.domain.errors import StudyError
from radgen.domain.study import InstanceHeader
from radgen.ledger.ledger import Ledger
from radgen.picture import render_radiograph

SIZE = 1024
"""Longest edge of a served picture in pixels."""

_AS_SHOWN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


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
def _draw(path: Path) -> Picture | None:
    header = read_header(path)
    if not _sides_are_true(header):
        return None
    radiograph = read_radiograph(header)
    rows, columns = radiograph.pixels.shape
    # Regions are drawn by the page over the picture, so that they can answer to the pointer.
    return Picture(render_radiograph(radiograph, (), SIZE), columns, rows)


def _sides_are_true(header: InstanceHeader) -> bool:
    """False for a slice whose rows do not run to the patient's left and whose columns not back.

    The picture has R and L burnt in; where they would lie, nothing is shown.
    """
    if len(header.orientation) != len(_AS_SHOWN):
        return True
    agreement = sum(a * b for a, b in zip(header.orientation, _AS_SHOWN, strict=True))
    return agreement > 1.8  # of 2: tilted gantries pass, turned slices do not
