"""Pixels with meaning: a radiograph and a volume, as packs read them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgen.domain.finding import ImageEvidence


@dataclass(frozen=True, slots=True)
class Radiograph:
    """One projection image, ready to look at.

    pixels: float32 [H, W] in [0, 1], as displayed (MONOCHROME2: bone is bright), VOI LUT applied,
        padding set to 0.
    spacing_mm: (row, column) size of a pixel at the detector, None where the header does not say.
    view: "PA", "AP", "LATERAL", or "" where the header does not say.
    """

    pixels: NDArray[np.float32]
    spacing_mm: tuple[float, float] | None
    view: str
    evidence: ImageEvidence


@dataclass(frozen=True, slots=True)
class Volume:
    """A stack of slices on one regular grid.

    voxels: int16 or float32 [D, H, W]; slice 0 is the most inferior, rows run to posterior, columns
        to the patient's
        left, whatever order and orientation the slices had: index (d, h, w) grows towards (S, P,
        L).
    spacing_mm: (between slices, between rows, between columns).
    origin_mm: position of voxel (0, 0, 0) in DICOM patient coordinates (L, P, S), millimetres.
    unit: UCUM unit of the voxels ("[hnsf'U]" for CT, "1" for MR).
    slices: the instance of each slice, slice 0 first.
    kernel: reconstruction kernel words of the header, "" where there are none.
    slice_thickness_mm: as the header says, None where it does not.
    flipped_rows: True where stored rows run to anterior, so row h is stored row H - 1 - h.
    flipped_columns: True where stored columns run to the right, so column w is stored column W - 1
        - w.
    contrast: True where the header of a slice names a contrast agent.
    """

    voxels: NDArray[np.int16] | NDArray[np.float32]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    unit: str
    slices: tuple[ImageEvidence, ...]
    kernel: str = ""
    slice_thickness_mm: float | None = None
    flipped_rows: bool = False
    flipped_columns: bool = False
    contrast: bool = False
