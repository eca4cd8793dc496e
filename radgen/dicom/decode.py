"""Stored pixels of one file, by a named decoder, never more of them than the header promises.

The size is computed before anything is decoded, and a compressed frame must agree with it: a code
stream carries its own width and height, and a decoder would allocate what it says there.
"""

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import FileDataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder

from radgen.dicom.read_file import READ_ERRORS, open_whole
from radgen.domain.errors import UnreadableInstanceError

MAX_PIXEL_BYTES = 512 * 1024 * 1024
"""Decoded size of one instance: ten times the largest digital radiograph."""

_NATIVE = frozenset(
    {uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian}
)
_RLE = frozenset({uid.RLELossless})
_JPEG = frozenset(
    {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1}
)
_JPEG_LS = frozenset({uid.JPEGLSLossless, uid.JPEGLSNearLossless})
_JPEG_2000 = frozenset(
    {
        uid.JPEG2000Lossless,
        uid.JPEG2000,
        uid.HTJ2KLossless,
        uid.HTJ2KLosslessRPCL,
        uid.HTJ2K,
    }
)
_PLUGINS = {
    # Named, because pydicom takes the first that is installed: for JPEG-LS 3.5 times slower.
    **dict.fromkeys(_NATIVE, ""),
    **dict.fromkeys(_RLE, "pydicom"),
    **dict.fromkeys(_JPEG, "gdcm"),
    **dict.fromkeys(_JPEG_LS, "pyjpegls"),
    **dict.fromkeys(_JPEG_2000, "pylibjpeg"),
}
_RLE_WORST_RATIO = 2
"""A run-length frame never needs more than 129 bytes for 128, plus its header."""

_END_OF_CODESTREAM = b"\xff\xd9"
_PADDING = b"\0\xff"
"""PS3.5 A.4 pads to even length with 00; real files also end in FF."""

_J2K_SIZE = b"\xff\x4f\xff\x51"
_JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""SOF0-SOF15 without DHT, JPG and DAC (ISO/IEC 10918-1 B.1.1.3), and SOF55 of JPEG-LS."""


@dataclass(frozen=True, slots=True)
class PixelShape:
    """What the header says of its pixels."""

    rows: int
    columns: int
    samples: int
    bits: int
    frames: int

    @property
    def frame_bytes(self) -> int:
        """Decoded size of one frame."""
        return self.rows * self.columns * self.samples * ((self.bits + 7) // 8)


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """One single-frame image as stored.

    pixels: [H, W] or, in colour, [H, W, 3] in RGB; the integer type of the header.
    """

    pixels: NDArray[np.integer[Any]]
    dataset: FileDataset


def decode_image(path: Path, max_bytes: int = MAX_PIXEL_BYTES) -> DecodedImage:
    """Decodes the one frame of `path`.

    Raises: UnreadableInstanceError if the file cannot be read, has more than one frame, promises
    more than `max_bytes`, has a transfer syntax without a decoder, holds fewer pixels than it
    promises, or its code stream disagrees with the header.
    """
    ds = open_whole(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape = pixel_shape(ds)
            _check_size(shape, max_bytes)
            pixels = _decode(ds, shape)
    except (*READ_ERRORS, RuntimeError) as error:
        raise UnreadableInstanceError(
            f"pixels cannot be decoded: {type(error).__name__}"
        ) from error
    return DecodedImage(pixels=pixels, dataset=ds)


def pixel_shape(ds: FileDataset) -> PixelShape:
    """Size of the pixels by the header alone."""
    return PixelShape(
        rows=int(ds.Rows),
        columns=int(ds.Columns),
        samples=int(ds.get("SamplesPerPixel", 1)),
        bits=int(ds.BitsAllocated),
        frames=int(ds.get("NumberOfFrames") or 1),
    )


def _check_size(shape: PixelShape, max_bytes: int) -> None:
    if shape.frames != 1:
        raise UnreadableInstanceError(f"{shape.frames} frames; single-frame images are read")
    if min(shape.rows, shape.columns, shape.samples, shape.bits) < 1:
        raise UnreadableInstanceError(f"no pixels: {shape.rows} rows, {shape.columns} columns")
    if shape.frame_bytes > max_bytes:
        raise UnreadableInstanceError(f"{shape.frame_bytes} pixel bytes, limit {max_bytes}")


def _decode(ds: FileDataset, shape: PixelShape) -> NDArray[np.integer[Any]]:
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax not in _PLUGINS:
        raise UnreadableInstanceError(f"transfer syntax {syntax.name} has no decoder")
    data = ds.get("PixelData")
    if not data:
        raise UnreadableInstanceError("no pixel data")
    if syntax in _NATIVE:
        # Some writers pad by more than the one byte that PS3.5 8.1.1 allows.
        ds.PixelData = data[: shape.frame_bytes + shape.frame_bytes % 2]
    else:
        _check_codestream(_only_frame(data), syntax, shape)
    pixels, _ = get_decoder(syntax).as_array(ds, decoding_plugin=_PLUGINS[syntax])
    expected = (shape.rows, shape.columns) + ((3,) if shape.samples == 3 else ())
    if pixels.shape != expected:
        raise UnreadableInstanceError(f"decoded to {pixels.shape}, header says {expected}")
    return pixels


def _only_frame(data: bytes) -> bytes:
    frames = list(generate_frames(data, number_of_frames=1))
    if len(frames) != 1:
        raise UnreadableInstanceError(f"{len(frames)} compressed frames where one is promised")
    return frames[0]


def _check_codestream(frame: bytes, syntax: uid.UID, shape: PixelShape) -> None:
    if syntax in _RLE:
        if len(frame) > _RLE_WORST_RATIO * shape.frame_bytes + 64:
            raise UnreadableInstanceError(f"{len(frame)} run-length bytes for {shape.frame_bytes}")
        return
    if not frame.rstrip(_PADDING).endswith(_END_OF_CODESTREAM):
        raise UnreadableInstanceError("truncated: code stream without its end marker")
    found = _j2k_size(frame) if syntax in _JPEG_2000 else _jpeg_size(frame)
    if found != (shape.rows, shape.columns, shape.samples):
        promised = (shape.rows, shape.columns, shape.samples)
        raise UnreadableInstanceError(f"code stream holds {found}, header says {promised}")


def _j2k_size(frame: bytes) -> tuple[int, int, int]:
    """Rows, columns, components of a JPEG 2000 code stream (ISO/IEC 15444-1 A.5.1)."""
    start = frame.find(_J2K_SIZE)
    if start < 0:
        raise UnreadableInstanceError("no JPEG 2000 code stream")
    width, height, left, top = struct.unpack(">4L", frame[start + 8 : start + 24])
    (components,) = struct.unpack(">H", frame[start + 40 : start + 42])
    return height - top, width - left, components


def _jpeg_size(frame: bytes) -> tuple[int, int, int]:
    """Rows, columns, components of a JPEG or JPEG-LS code stream (ISO/IEC 10918-1 B.2.2)."""
    position = 2
    while position + 10 <= len(frame) and frame[position] == 0xFF:
        marker = frame[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in _JPEG_FRAME_MARKERS:
            rows, columns, components = struct.unpack(">HHB", frame[position + 5 : position + 10])
            return rows, columns, components
        position += 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
    raise UnreadableInstanceError("no JPEG code stream")
