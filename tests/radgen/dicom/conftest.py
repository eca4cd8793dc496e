"""Small Part 10 files with known pixels, written as a modality would write them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


@pytest.fixture(scope="session")
def pydicom_files() -> Path:
    """The folder of odd files that pydicom ships."""
    return Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.fixture(scope="session")
def write_image() -> Callable[..., Path]:
    """Writes one image to `path`; keyword arguments are attributes, None leaves one out."""
    return _write_image


@pytest.fixture(scope="session")
def write_stack() -> Callable[..., list[Path]]:
    """Writes stored slices [D, H, W] at `positions` into `folder`."""
    return _write_stack


def _write_image(path: Path, pixels: np.ndarray, **attributes: Any) -> Path:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = attributes.pop("TransferSyntaxUID", ExplicitVRLittleEndian)
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = generate_uid(entropy_srcs=[str(path)])
    ds.StudyInstanceUID = "1.2.3"
    ds.SeriesInstanceUID = "1.2.3.4"
    ds.Modality = "CT"
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    ds.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = ds.BitsStored = pixels.dtype.itemsize * 8
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for keyword, value in attributes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 else "OW"
    ds.save_as(path, enforce_file_format=True)
    return path


def _write_stack(
    folder: Path, slices: np.ndarray, positions: list[list[float]], **attributes: Any
) -> list[Path]:
    given = {
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [1.0, 1.0],
        "RescaleSlope": 1,
        "RescaleIntercept": 0,
        "SliceThickness": 2.0,
        "ConvolutionKernel": "B30f",
    } | attributes
    return [
        _write_image(
            folder / f"{index:03}.dcm",
            pixels,
            ImagePositionPatient=[float(x) for x in position],
            InstanceNumber=index + 1,
            **given,
        )
        for index, (pixels, position) in enumerate(zip(slices, positions, strict=True))
    ]
