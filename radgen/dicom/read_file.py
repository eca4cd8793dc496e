"""Opening one Part 10 file: whatever its bytes are, the outcome is a dataset or one typed error."""

import struct
import warnings
import zlib
from pathlib import Path
from typing import BinaryIO

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import dcmread, read_file_meta_info
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from radgen.domain.errors import UnreadableInstanceError

MAX_DEPTH = 64
"""Nested sequences deeper than this are an attack, not a record."""

READ_ERRORS = (
    InvalidDicomError,
    BytesLengthException,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    MemoryError,
    RecursionError,
    AssertionError,
    struct.error,
    zlib.error,
)
"""What pydicom raises on bytes that are not what they claim to be."""

_PIXEL_TAGS = frozenset({(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)})
_ROWS = 0x00280010
_UNDEFINED = 0xFFFFFFFF


def open_header(path: Path, tags: list[int] | None = None) -> FileDataset:
    """Everything before the pixels; of it only `tags`, where given.

    Raises: UnreadableInstanceError if the file is not DICOM, is deflated, is shorter than it says
    or cannot be parsed.
    """
    try:
        # Warnings name values of the header; what they warn of is checked below or read as text.
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            _refuse_deflated(path)
            ds = dcmread(file, stop_before_pixels=True, specific_tags=tags)
            _refuse_truncated(file, path.stat().st_size, ds)
    except READ_ERRORS as error:
        raise UnreadableInstanceError(cause_of(error)) from error
    return ds


def open_whole(path: Path) -> FileDataset:
    """Header and pixels. Raises: UnreadableInstanceError as `open_header`."""
    open_header(path, [])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dcmread(path)
    except READ_ERRORS as error:
        raise UnreadableInstanceError(cause_of(error)) from error


def cause_of(error: BaseException) -> str:
    """The kind of fault in a word: a parser's message may quote the header, so it stays behind."""
    if isinstance(error, InvalidDicomError):
        return "not a DICOM file"
    if isinstance(error, RecursionError):
        return f"sequences nested deeper than {MAX_DEPTH}"
    if isinstance(error, OSError):
        return f"file cannot be read: {error.strerror}"
    return f"header cannot be parsed ({type(error).__name__})"


def _refuse_deflated(path: Path) -> None:
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        # PS3.5 A.5: the whole dataset would be inflated without a limit before anything is known.
        raise UnreadableInstanceError("deflated transfer syntax is refused")


def _refuse_truncated(file: BinaryIO, size: int, ds: FileDataset) -> None:
    """Skipping past the end is silent in pydicom, so the position is compared with the size.

    `file` stands at the pixel element, or at the end where there is none.
    """
    position = file.tell()
    if position > size:
        raise UnreadableInstanceError(f"truncated: {position - size} bytes of the header missing")
    implicit, little = ds.original_encoding
    head = file.read(12)
    if len(head) < 8:
        if _ROWS in ds:
            # pydicom stops silently inside an element's header; an image ends with its pixels.
            raise UnreadableInstanceError("truncated before the pixels")
        return
    order = "<" if little else ">"
    tag = struct.unpack(f"{order}HH", head[:4])
    if tag not in _PIXEL_TAGS:
        raise UnreadableInstanceError("header cannot be parsed to its end")
    start, length = 8, int(struct.unpack(f"{order}L", head[4:8])[0])
    if not implicit:
        if len(head) < 12:
            raise UnreadableInstanceError("truncated inside the pixel element")
        start, length = 12, int(struct.unpack(f"{order}L", head[8:12])[0])
    if length != _UNDEFINED and position + start + length > size:
        missing = position + start + length - size
        raise UnreadableInstanceError(f"truncated: {missing} of {length} pixel bytes missing")


def check_depth(ds: Dataset) -> None:
    """Raises: RecursionError if sequences are nested deeper than MAX_DEPTH."""
    level = [ds]
    for _ in range(MAX_DEPTH + 1):
        level = [item for parent in level for item in _items(parent)]
        if not level:
            return
    raise RecursionError


def _items(ds: Dataset) -> list[Dataset]:
    return [item for tag in ds.keys() if _is_sequence(ds, tag) for item in ds[tag].value]  # noqa: SIM118 - iterating a Dataset converts every value


def _is_sequence(ds: Dataset, tag: BaseTag) -> bool:
    # The VR of a raw element is None in implicit VR, whatever pydicom's annotation says.
    vr: str | None = getattr(ds.get_item(tag), "VR", None)
    if vr in (None, "UN") and dictionary_has_tag(tag):
        vr = dictionary_VR(tag)
    return vr == "SQ"
