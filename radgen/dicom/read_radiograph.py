"""One projection image as a reader would see it: the standard's grey-scale pipeline, to [0, 1].

stored -> modality LUT or rescale -> VOI LUT or window -> photometric interpretation (PS3.3
C.11, PS3.4 N.2). No word of the header but those that steer this pipeline comes near the pixels:
descriptions hold findings in real files.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi

from radgen.dicom.decode import DecodedImage, decode_image
from radgen.dicom.read_file import READ_ERRORS
from radgen.domain.errors import UnreadableInstanceError, UnsupportedStudyError
from radgen.domain.finding import ImageEvidence
from radgen.domain.image import Radiograph
from radgen.domain.study import InstanceHeader

_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""ITU-R BT.601, the weights of YBR_FULL (PS3.3 C.7.6.3.1.2)."""

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})


def read_radiograph(header: InstanceHeader) -> Radiograph:
    """Decodes and displays one single-frame image.

    Colour is turned into luminance. Where neither window nor VOI LUT says what to show, 8-bit
    pixels keep their full range and deeper ones are stretched from their lowest to their highest.

    Raises: UnreadableInstanceError if the pixels cannot be decoded or displayed;
    UnsupportedStudyError if Patient Orientation says that the picture is not as displayed (left
    side of the patient on the right, head up): every side that is stated rests on it.
    """
    image = decode_image(header.path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _refuse_other_orientation(image.dataset)
            pixels = _displayed(image)
    except READ_ERRORS as error:
        raise UnreadableInstanceError(
            f"image cannot be displayed: {type(error).__name__}"
        ) from error
    return Radiograph(
        pixels=pixels,
        spacing_mm=header.pixel_spacing_mm,
        view=header.view,
        evidence=ImageEvidence(
            sop_class_uid=header.sop_class_uid,
            sop_instance_uid=header.sop_instance_uid,
            series_instance_uid=header.series_uid,
        ),
    )


def _refuse_other_orientation(ds: Dataset) -> None:
    """PS3.3 C.7.6.1.1.1: direction of rows, direction of columns; often empty, then assumed."""
    directions = ds.get("PatientOrientation") or ()
    if len(directions) != 2 or not all(directions):
        return
    row, column = (str(direction) for direction in directions)
    if not (row.startswith("L") and column.startswith("F")):
        raise UnsupportedStudyError(f"patient orientation {row[:4]}\\{column[:4]}, not L\\F")


def _displayed(image: DecodedImage) -> NDArray[np.float32]:
    """float32 [H, W] in [0, 1], bright where the display would be bright, padding 0."""
    ds = image.dataset
    photometric = str(ds.PhotometricInterpretation)
    if image.pixels.ndim == 3:
        return _luminance(image.pixels)
    if photometric not in _GREY:
        raise UnreadableInstanceError(f"photometric interpretation {photometric[:16]}")
    padding = _padding(image.pixels, ds)
    values = np.asarray(apply_modality_lut(image.pixels, ds), dtype=np.float64)
    grey = np.clip(_shown(values, ds, padding), 0.0, 1.0).astype(np.float32)
    if photometric == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE":
        # The DX IOD writes both for the same inversion (PS3.3 C.8.11.3), so it is applied once.
        grey = np.float32(1.0) - grey
    grey[padding] = 0.0
    return grey


def _luminance(pixels: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    grey = (pixels.astype(np.float32) @ _LUMINANCE) / np.iinfo(pixels.dtype).max
    return np.clip(grey, 0.0, 1.0).astype(np.float32)


def _padding(pixels: NDArray[np.integer[Any]], ds: Dataset) -> NDArray[np.bool_]:
    """Where stored values are no image (PS3.3 C.7.5.1.1.2)."""
    value = ds.get("PixelPaddingValue")
    if value is None:
        return np.zeros(pixels.shape, dtype=np.bool_)
    limit = ds.get("PixelPaddingRangeLimit", value)
    low, high = sorted((int(value), int(limit)))
    masked: NDArray[np.bool_] = (pixels >= low) & (pixels <= high)
    return masked


def _shown(
    values: NDArray[np.float64], ds: Dataset, padding: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Values after the VOI stage, 0 = darkest and 1 = brightest of what is to be shown."""
    if ds.get("VOILUTSequence"):
        # PS3.3 C.11.2.1.1: the table counts from what its descriptor says, in so many bits.
        bits = int(ds.VOILUTSequence[0].LUTDescriptor[2])
        shown = np.asarray(apply_voi(values.astype(np.int64), ds), dtype=np.float64)
        return shown / float(2**bits - 1)
    window = _window(ds)
    if window is not None:
        return windowed(values, window, str(ds.get("VOILUTFunction") or "LINEAR"))
    if int(ds.BitsStored) == 8 and "RescaleSlope" not in ds and "ModalityLUTSequence" not in ds:
        return values / 255.0
    kept = values[~padding]
    low, high = (float(kept.min()), float(kept.max())) if kept.size else (0.0, 0.0)
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _window(ds: Dataset) -> tuple[float, float] | None:
    """Centre and width of the first window, None where there is none that can be used."""
    try:
        centre, width = (_first(ds.get(key)) for key in ("WindowCenter", "WindowWidth"))
    except (TypeError, ValueError, IndexError):
        return None
    if not (math.isfinite(centre) and math.isfinite(width)) or width < 1:
        return None
    return centre, width


def _first(value: object) -> float:
    return float(str(value[0] if isinstance(value, Sequence) else value))


def windowed(
    values: NDArray[np.float64], window: tuple[float, float], function: str
) -> NDArray[np.float64]:
    """Applies `window` = (centre, width) by VOI LUT Function `function` (PS3.3 C.11.2.1.2-3).

    Returns: values in [0, 1].
    """
    centre, width = window
    if function == "SIGMOID":
        return np.asarray(1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -50, 50))))
    if function != "LINEAR_EXACT" and width > 1:
        centre, width = centre - 0.5, width - 1.0
    return np.clip((values - centre) / width + 0.5, 0.0, 1.0)
