"""A stack of CT slices as one volume that grows towards head, back and left."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from radgen.dicom.decode import DecodedImage, decode_image
from radgen.dicom.read_geometry import (
    GeometryFault,
    StackFaultError,
    StackGeometry,
    stack_geometry,
)
from radgen.domain.errors import UnreadableInstanceError
from radgen.domain.finding import ImageEvidence
from radgen.domain.image import Volume
from radgen.domain.study import InstanceHeader

MAX_VOXELS = 512 * 512 * 2048
"""One gigabyte of int16."""

_AIR_HU = -1024.0
_INT16 = np.iinfo(np.int16)
_NO_AGENT = frozenset({"", "NONE", "NO", "N", "WITHOUT", "无"})
_TO_SPL = (2, 1, 0)
"""Patient coordinates are (L, P, S); a volume's axes are (S, P, L)."""


def read_volume(headers: Sequence[InstanceHeader]) -> Volume:
    """Decodes `headers`, in any order, to one volume in Hounsfield units (CT) or stored units.

    The stored slices may be axial, coronal or sagittal, in any direction. Padding becomes -1024.
    `Volume.slices` is filled where stored slices are axial with rows along the patient's left and
    right: only then does one slice of the volume stand for one instance.

    Raises: StackFaultError (a GeometryError with `.fault`) if the slices make no regular volume
    along the patient's axes; UnreadableInstanceError if a slice cannot be decoded, or a CT slice
    has no rescale to Hounsfield units.
    """
    geometry = stack_geometry(headers)
    first = geometry.headers[0]
    count = len(geometry.headers) * first.rows * first.columns
    if count > MAX_VOXELS:
        raise StackFaultError(GeometryFault.TOO_LARGE, f"{count} voxels, limit {MAX_VOXELS}")
    stored = _decode(geometry)
    axes = [int(np.abs(direction).argmax()) for direction in geometry.directions]
    signs = [float(geometry.directions[i, axis]) for i, axis in enumerate(axes)]
    order = [axes.index(axis) for axis in _TO_SPL]
    flips = tuple(signs[i] < 0 for i in order)
    turned = stored.transpose(order)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    plain = order == [0, 1, 2]
    return Volume(
        voxels=np.ascontiguousarray(turned),
        spacing_mm=_reorder(geometry.spacing_mm, order),
        origin_mm=_origin(geometry, stored.shape),
        unit="[hnsf'U]" if first.modality == "CT" else "1",
        slices=_evidence(geometry, backwards=flips[0]) if plain else (),
        kernel=first.kernel,
        slice_thickness_mm=first.slice_thickness_mm,
        flipped_rows=plain and flips[1],
        flipped_columns=plain and flips[2],
        contrast=any(_names_agent(header) for header in geometry.headers),
    )


def _names_agent(header: InstanceHeader) -> bool:
    """Some scanners fill Contrast/Bolus Agent to say that there was none."""
    return header.contrast_agent.upper() not in _NO_AGENT


def _reorder(spacing: tuple[float, float, float], order: list[int]) -> tuple[float, float, float]:
    return spacing[order[0]], spacing[order[1]], spacing[order[2]]


def _origin(geometry: StackGeometry, shape: tuple[int, ...]) -> tuple[float, float, float]:
    """Position of the voxel that is first along each patient axis: the lowest of all corners."""
    first = np.array(geometry.headers[0].position_mm)
    extents = (np.array(shape) - 1) * np.array(geometry.spacing_mm)
    lowest = first + np.minimum(geometry.directions * extents[:, None], 0.0).sum(axis=0)
    return float(lowest[0]), float(lowest[1]), float(lowest[2])


def _evidence(geometry: StackGeometry, *, backwards: bool) -> tuple[ImageEvidence, ...]:
    headers = geometry.headers[::-1] if backwards else geometry.headers
    return tuple(
        ImageEvidence(
            sop_class_uid=header.sop_class_uid,
            sop_instance_uid=header.sop_instance_uid,
            series_instance_uid=header.series_uid,
        )
        for header in headers
    )


def _decode(geometry: StackGeometry) -> NDArray[np.int16] | NDArray[np.float32]:
    """[slices, rows, columns] as stored, rescaled: int16 where nothing is lost by it."""
    first = geometry.headers[0]
    shape = (len(geometry.headers), first.rows, first.columns)
    exact: NDArray[np.int16] = np.empty(shape, dtype=np.int16)
    for index, header in enumerate(geometry.headers):
        values = _rescaled(header, index)
        if not _fits_int16(values):
            return _decode_float(geometry)
        exact[index] = values
    return exact


def _decode_float(geometry: StackGeometry) -> NDArray[np.float32]:
    slices = [_rescaled(header, index) for index, header in enumerate(geometry.headers)]
    return np.stack(slices).astype(np.float32)


def _fits_int16(values: NDArray[np.float32]) -> bool:
    low, high = float(values.min()), float(values.max())
    return low >= _INT16.min and high <= _INT16.max and bool((values == np.rint(values)).all())


def _rescaled(header: InstanceHeader, index: int) -> NDArray[np.float32]:
    """One slice in the unit of the volume, float32 [H, W]."""
    try:
        image = decode_image(header.path)
    except UnreadableInstanceError as error:
        raise UnreadableInstanceError(f"slice {index + 1}: {error}") from error
    if image.pixels.shape != (header.rows, header.columns):
        raise UnreadableInstanceError(f"slice {index + 1}: colour, or not the size of its header")
    slope, intercept = _rescale(image.dataset, header.modality, index)
    values = image.pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    values[_padding(image)] = _AIR_HU if header.modality == "CT" else 0.0
    return values


def _rescale(ds: Dataset, modality: str, index: int) -> tuple[float, float]:
    """Slope and intercept (PS3.3 C.11.1); a CT without them has no Hounsfield units."""
    try:
        slope, intercept = float(ds.RescaleSlope), float(ds.RescaleIntercept)
    except (AttributeError, TypeError, ValueError) as error:
        if modality == "CT":
            raise UnreadableInstanceError(f"slice {index + 1}: no rescale") from error
        return 1.0, 0.0
    if not (np.isfinite(slope) and np.isfinite(intercept)) or slope == 0:
        raise UnreadableInstanceError(f"slice {index + 1}: rescale slope {slope}")
    unit = str(ds.get("RescaleType") or "HU").upper()
    if modality == "CT" and unit != "HU":
        raise UnreadableInstanceError(f"slice {index + 1}: rescaled to {unit[:16]}, not HU")
    return slope, intercept


def _padding(image: DecodedImage) -> NDArray[np.bool_]:
    value = image.dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(image.pixels.shape, dtype=np.bool_)
    masked: NDArray[np.bool_] = image.pixels == int(value)
    return masked
