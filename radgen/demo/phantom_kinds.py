"""One function per kind of image: what DX, CR, MG, US and CT need beyond the common header."""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    UltrasoundImageStorage,
)

from radgen.demo.phantom_header import (
    ImageKind,
    StudySpec,
    as_file,
    coded,
    made_uid,
    make_image,
    set_pixels,
)
from radgen.demo.phantom_volume import ChestVolume

Film = NDArray[np.uint16] | NDArray[np.uint8]

# CID 4010 DX View, SNOMED CT.
_VIEWS = {
    "PA": ("399348003", "postero-anterior"),
    "AP": ("399067008", "antero-posterior"),
    "LL": ("399173006", "left lateral"),
}
# CID 4009 DX Anatomy Imaged.
_REGIONS = {"CHEST": ("51185008", "Chest"), "HAND": ("85562004", "Hand")}


def dx_film(
    spec: StudySpec, pixels: Film, spacing_mm: float, place: tuple[str, str], *, number: int = 1
) -> FileDataset:
    """Digital X-ray for presentation (PS3.3 A.26). place: (body part, view)."""
    body_part, view = place
    kind = ImageKind(
        DigitalXRayImageStorageForPresentation,
        "DX",
        body_part,
        view,
        image_type=("ORIGINAL", "PRIMARY", ""),
        number=number,
    )
    return as_file(_projection(spec, kind, pixels, spacing_mm), spec.syntax)


def inverted_dx_film(
    spec: StudySpec, pixels: Film, spacing_mm: float, place: tuple[str, str]
) -> FileDataset:
    """The same as MONOCHROME1, as some makers store it."""
    kind = ImageKind(
        DigitalXRayImageStorageForPresentation, "DX", *place, image_type=("ORIGINAL", "PRIMARY", "")
    )
    ds = _projection(spec, kind, pixels, spacing_mm)
    set_pixels(ds, pixels, 12, inverted=True)
    ds.PresentationLUTShape = "INVERSE"
    return as_file(ds, spec.syntax)


def _projection(spec: StudySpec, kind: ImageKind, pixels: Film, spacing_mm: float) -> Dataset:
    ds = make_image(spec, kind)
    ds.PresentationIntentType = "FOR PRESENTATION"
    region = _REGIONS[kind.body_part]
    ds.AnatomicRegionSequence = [coded(region[0], "SCT", region[1])]
    # R: unpaired is "U"; the phantom hand is a right one.
    ds.ImageLaterality = "R" if kind.body_part == "HAND" else "U"
    ds.PatientOrientation = ["A", "F"] if kind.view == "LL" else ["L", "F"]
    view = coded(_VIEWS[kind.view][0], "SCT", _VIEWS[kind.view][1])
    view.ViewModifierCodeSequence = []
    ds.ViewCodeSequence = [view]
    bits = 8 if pixels.dtype == np.uint8 else 12
    set_pixels(ds, pixels, bits, inverted=False)
    ds.ImagerPixelSpacing = [spacing_mm, spacing_mm]
    ds.DetectorType = "DIRECT"
    ds.PositionerType = "NONE"
    _presentation(ds)
    ds.WindowCenter, ds.WindowWidth = str(2 ** (bits - 1)), str(2**bits)
    ds.KVP = "120"
    ds.AcquisitionDeviceProcessingDescription = "generated"
    return ds


def _presentation(ds: Dataset) -> None:
    """DX Image module (PS3.3 C.8.11.3) and its window."""
    ds.PixelIntensityRelationship = "LOG"
    ds.PixelIntensityRelationshipSign = 1
    ds.RescaleIntercept = "0"
    ds.RescaleSlope = "1"
    ds.RescaleType = "US"
    ds.PresentationLUTShape = "IDENTITY"
    ds.LossyImageCompression = "00"
    ds.DerivationDescription = "generated phantom, no patient"
    ds.BurnedInAnnotation = "NO"
    ds.AcquisitionContextSequence = []
    ds.WindowCenter = "2048"
    ds.WindowWidth = "4096"


def cr_film(
    spec: StudySpec, pixels: Film, spacing_mm: float, place: tuple[str, str]
) -> FileDataset:
    """Computed radiograph (PS3.3 A.2)."""
    kind = ImageKind(ComputedRadiographyImageStorage, "CR", *place)
    ds = make_image(spec, kind)
    ds.PatientOrientation = ["L", "F"]
    ds.KVP = "120"
    ds.PlateID = ""
    ds.BurnedInAnnotation = "NO"
    ds.ImagerPixelSpacing = [spacing_mm, spacing_mm]
    set_pixels(ds, pixels, 12, inverted=False)
    ds.WindowCenter = "2048"
    ds.WindowWidth = "4096"
    return as_file(ds, spec.syntax)


def mammogram(spec: StudySpec, pixels: Film, spacing_mm: float) -> FileDataset:
    """Digital mammogram for presentation (PS3.3 A.27), right MLO."""
    kind = ImageKind(
        DigitalMammographyXRayImageStorageForPresentation,
        "MG",
        "BREAST",
        "MLO",
        image_type=("ORIGINAL", "PRIMARY", ""),
    )
    ds = make_image(spec, kind)
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.AnatomicRegionSequence = [coded("76752008", "SCT", "Breast")]
    ds.ImageLaterality = "R"
    ds.PatientOrientation = ["P", "FL"]
    view = coded("399368009", "SCT", "medio-lateral oblique")
    view.ViewModifierCodeSequence = []
    ds.ViewCodeSequence = [view]
    set_pixels(ds, pixels, 12, inverted=False)
    ds.ImagerPixelSpacing = [spacing_mm, spacing_mm]
    ds.DetectorType = "DIRECT"
    ds.PositionerType = "MAMMOGRAPHIC"
    ds.PositionerPrimaryAngle = "45"
    ds.OrganExposed = "BREAST"
    ds.BreastImplantPresent = "NO"
    _presentation(ds)
    ds.KVP = "28"
    return as_file(ds, spec.syntax)


def sonogram(spec: StudySpec, pixels: NDArray[np.uint8]) -> FileDataset:
    """Single-frame ultrasound (PS3.3 A.6)."""
    kind = ImageKind(
        UltrasoundImageStorage,
        "US",
        "ABDOMEN",
        image_type=("ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"),
    )
    ds = make_image(spec, kind)
    ds.PatientOrientation = ""
    ds.LossyImageCompression = "00"
    ds.BurnedInAnnotation = "NO"
    set_pixels(ds, pixels, 8, inverted=False)
    return as_file(ds, spec.syntax)


def ct_series(spec: StudySpec, volume: ChestVolume, *, head_first: bool) -> list[FileDataset]:
    """Axial slices (PS3.3 A.3). head_first: instance 1 is the highest slice, else the lowest."""
    depth = volume.hu.shape[0]
    order = range(depth - 1, -1, -1) if head_first else range(depth)
    frame = made_uid(spec.key, "frame of reference")
    slices = []
    for number, index in enumerate(order, start=1):
        kind = ImageKind(
            CTImageStorage,
            "CT",
            "CHEST",
            image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
            number=number,
            description="chest 7.5 mm soft",
        )
        ds = make_image(spec, kind)
        _ct_geometry(ds, volume, index)
        ds.FrameOfReferenceUID = frame
        _ct_technique(ds)
        set_pixels(ds, volume.hu[index], 16, inverted=False)
        slices.append(as_file(ds, spec.syntax))
    return slices


def _ct_geometry(ds: Dataset, volume: ChestVolume, index: int) -> None:
    depth, rows, columns = volume.hu.shape
    between, row_mm, column_mm = volume.spacing_mm
    height = round((index - (depth - 1) / 2.0) * between, 4)
    left, front = -(columns - 1) / 2.0 * column_mm, -(rows - 1) / 2.0 * row_mm
    ds.PixelSpacing = [row_mm, column_mm]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.ImagePositionPatient = [left, front, height]
    ds.SliceThickness = between
    ds.SpacingBetweenSlices = between
    ds.SliceLocation = height
    ds.PatientPosition = "HFS"
    ds.PositionReferenceIndicator = ""


def _ct_technique(ds: Dataset) -> None:
    ds.RescaleIntercept = "0"
    ds.RescaleSlope = "1"
    ds.RescaleType = "HU"
    ds.KVP = "120"
    ds.AcquisitionNumber = 1
    ds.ConvolutionKernel = "B40f"
    ds.ProtocolName = "chest routine"
    ds.GantryDetectorTilt = "0"
    ds.WindowCenter = "40"
    ds.WindowWidth = "400"
    ds.BurnedInAnnotation = "NO"
    ds.LossyImageCompression = "00"
    ds.DerivationDescription = "generated phantom, no patient"
