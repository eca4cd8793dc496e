"""The image a draft rests on, with its evidence marked, as PNG bytes; pure.

Every picture carries "AI DRAFT - NOT REVIEWED" and the sides as the engine takes them: a reader who
sees another marker on the film knows at once that they differ. All words are ASCII.
"""

import io
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from radgen.domain.finding import Box, Finding, ImageEvidence, Presence
from radgen.domain.image import Radiograph, Volume

LABEL = "AI DRAFT - NOT REVIEWED"
LUNG_WINDOW_HU = (-600.0, 1500.0)

_MARK = (255, 196, 0)
_WORDS = (255, 255, 255)
_BACK = (0, 0, 0)
_MAX_SIZE = 4096


def render_radiograph(
    radiograph: Radiograph, findings: Sequence[Finding], size: int = 1024
) -> bytes:
    """Draws a radiograph with a box for every finding that is present and has one.

    size: pixels of the longer side, 64 to 4096.
    Returns: PNG. Patient's right is on the left, as `radiograph` is displayed.
    """
    pixels = _bytes(radiograph.pixels)
    scale = _scale(pixels.shape, (1.0, 1.0), size)
    picture = _enlarged(pixels, scale)
    uid = radiograph.evidence.sop_instance_uid
    _mark(picture, _boxes(findings, uid), scale)
    return _png(picture)


def render_slice(
    volume: Volume,
    index: int,
    window_hu: tuple[float, float],
    findings: Sequence[Finding],
    size: int = 512,
) -> bytes:
    """Draws axial slice `index` with a box for every present finding that has one on it.

    index: along the first axis of `volume.voxels`, 0 = most inferior.
    window_hu: (centre, width) in the unit of the voxels.
    Returns: PNG, anterior up and the patient's right on the left; pixels square.
    Raises: IndexError if there is no such slice.
    """
    depth, rows, columns = volume.voxels.shape
    if not 0 <= index < depth:
        raise IndexError(f"slice {index} of {depth}")
    centre, width = window_hu
    shown = (volume.voxels[index].astype(np.float32) - (centre - width / 2)) / max(width, 1.0)
    pixels = _bytes(shown)
    scale = _scale((rows, columns), volume.spacing_mm[1:], size)
    picture = _enlarged(pixels, scale)
    uid = volume.slices[index].sop_instance_uid if volume.slices else ""
    boxes = [(_turned(box, volume), name) for box, name in _boxes(findings, uid)]
    _mark(picture, boxes, scale)
    return _png(picture)


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    scaled: NDArray[np.float32] = np.clip(values, 0.0, 1.0) * np.float32(255.0)
    return np.rint(scaled).astype(np.uint8)


def _scale(shape: tuple[int, ...], spacing: tuple[float, ...], size: int) -> tuple[float, float]:
    """Picture pixels for one row and one column; the longer side becomes `size`."""
    longest = max(shape[0] * spacing[0], shape[1] * spacing[1])
    unit = min(max(size, 64), _MAX_SIZE) / longest
    return spacing[0] * unit, spacing[1] * unit


def _enlarged(pixels: NDArray[np.uint8], scale: tuple[float, float]) -> Image.Image:
    height, width = (
        max(1, round(count * factor)) for count, factor in zip(pixels.shape, scale, strict=True)
    )
    grey = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    return grey.convert("RGB")


def _boxes(findings: Iterable[Finding], sop_instance_uid: str) -> list[tuple[Box, str]]:
    """Boxes on this instance of the findings that are present, with the finding's id."""
    return [
        (evidence.box, finding.finding)
        for finding in findings
        if finding.presence is Presence.PRESENT
        for evidence in finding.evidence
        if _is_on(evidence, sop_instance_uid) and evidence.box is not None
    ]


def _is_on(evidence: ImageEvidence, sop_instance_uid: str) -> bool:
    return bool(sop_instance_uid) and evidence.sop_instance_uid == sop_instance_uid


def _turned(box: Box, volume: Volume) -> Box:
    """A box in stored pixels, where the volume shows it."""
    _, rows, columns = volume.voxels.shape
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    if volume.flipped_columns:
        left, right = columns - right, columns - left
    if volume.flipped_rows:
        top, bottom = rows - bottom, rows - top
    return Box(left=left, top=top, right=right, bottom=bottom)


def _mark(
    picture: Image.Image, boxes: Sequence[tuple[Box, str]], scale: tuple[float, float]
) -> None:
    draw = ImageDraw.Draw(picture)
    words = max(10, max(picture.size) // 40)
    font = ImageFont.load_default(words)
    line = max(1, max(picture.size) // 300)
    for box, name in boxes:
        corners = (
            box.left * scale[1],
            box.top * scale[0],
            box.right * scale[1],
            box.bottom * scale[0],
        )
        draw.rectangle(corners, outline=_MARK, width=line)
        _write(draw, (corners[0], corners[1] - words - 4), _ascii(name), font, _MARK)
    width, height = picture.size
    _write(draw, (4, height // 2), "R", font, _WORDS)
    _write(draw, (width - words, height // 2), "L", font, _WORDS)
    _write(draw, (4, height - words - 6), LABEL, font, _WORDS)


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    colour: tuple[int, int, int],
) -> None:
    """Text on a dark plate, so that it reads on bone and on air."""
    place = (max(0.0, at[0]), max(0.0, at[1]))
    draw.rectangle(draw.textbbox(place, text, font=font), fill=_BACK)
    draw.text(place, text, font=font, fill=colour)


def _ascii(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:40]


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()
