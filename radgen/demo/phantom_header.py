"""Headers around made pixels: valid DICOM of several kinds, marked as synthetic."""

import uuid
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

# Only for UIDs of made studies, so that the same study always has the same UIDs.
_NAMESPACE = uuid.UUID("6f0c0f6e-6f5a-5d0b-9a53-0c5f2b0a7d11")

DEFAULT_DAY = date(2026, 1, 5)


@dataclass(frozen=True, slots=True)
class StudySpec:
    """Who, where and how of one made study.

    key: short name, part of every UID. patient_name: PN value, groups divided by "=".
    charset: Specific Character Set. age: VR AS ("053Y"), "" where unknown.
    syntax: transfer syntax of the files. priority: (0040,1003), "" where absent.
    """

    key: str
    patient_name: str
    charset: str = "ISO_IR 192"
    sex: str = "M"
    age: str = "053Y"
    maker: str = "Donghai Medical"
    model: str = "DR-600"
    syntax: UID = ExplicitVRLittleEndian
    priority: str = ""
    day: date = DEFAULT_DAY


@dataclass(frozen=True, slots=True)
class ImageKind:
    """What one instance is.

    sop_class: its SOP class. body_part: Body Part Examined, CID 4031. view: View Position.
    image_type: values of Image Type. number: instance number, from 1.
    """

    sop_class: UID
    modality: str
    body_part: str = ""
    view: str = ""
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY")
    number: int = 1
    description: str = ""


def made_uid(*parts: object) -> UID:
    """A UID that follows from its parts (2.25 plus UUIDv5, PS3.5 B.2)."""
    name = "/".join(str(part) for part in parts)
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, name).int}")


def make_image(spec: StudySpec, kind: ImageKind) -> Dataset:
    """Everything that all our images have in common, pixels excluded."""
    ds = Dataset()
    ds.SpecificCharacterSet = spec.charset
    ds.ImageType = list(kind.image_type)
    ds.SOPClassUID = kind.sop_class
    ds.SOPInstanceUID = made_uid(spec.key, "instance", kind.modality, kind.number)
    ds.SyntheticData = "YES"
    _patient_and_study(ds, spec)
    ds.Modality = kind.modality
    ds.SeriesInstanceUID = made_uid(spec.key, "series", kind.modality)
    ds.SeriesNumber = 1
    ds.SeriesDescription = kind.description or f"{kind.body_part} {kind.view}".strip()
    ds.SeriesDate = ds.StudyDate
    ds.SeriesTime = ds.StudyTime
    ds.Manufacturer = spec.maker
    ds.ManufacturerModelName = spec.model
    ds.DeviceSerialNumber = "0001"
    ds.SoftwareVersions = "1"
    ds.InstanceNumber = kind.number
    ds.ContentDate = ds.AcquisitionDate = ds.StudyDate
    ds.ContentTime = ds.AcquisitionTime = f"0915{kind.number % 60:02d}"
    if kind.body_part:
        ds.BodyPartExamined = kind.body_part
    if kind.view:
        ds.ViewPosition = kind.view
    return ds


def _patient_and_study(ds: Dataset, spec: StudySpec) -> None:
    ds.PatientName = spec.patient_name
    ds.PatientID = f"RG{made_uid(spec.key, 'patient')[-6:]}"
    ds.IssuerOfPatientID = "RADGEN-DEMO"
    ds.PatientBirthDate = ""
    ds.PatientSex = spec.sex
    if spec.age:
        ds.PatientAge = spec.age
    ds.StudyInstanceUID = made_uid(spec.key, "study")
    ds.StudyDate = f"{spec.day:%Y%m%d}"
    ds.StudyTime = "091500"
    ds.AccessionNumber = f"A{made_uid(spec.key, 'accession')[-8:]}"
    ds.ReferringPhysicianName = ""
    ds.StudyID = "1"
    ds.StudyDescription = f"phantom {spec.key}"[:64]
    ds.TimezoneOffsetFromUTC = "+0800"
    if spec.priority:
        ds.RequestedProcedurePriority = spec.priority


def set_pixels(ds: Dataset, pixels: NDArray[np.generic], bits: int, *, inverted: bool) -> None:
    """Image Pixel module (PS3.3 C.7.6.3) of one grey image.

    pixels: uint8, uint16 or int16 [H, W]. inverted: MONOCHROME1; the values are turned round so
        that it still shows bone bright.
    """
    shown = (2**bits - 1) - pixels.astype(np.int32) if inverted else pixels
    stored = shown.astype(pixels.dtype)
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    ds.Rows, ds.Columns = stored.shape
    ds.BitsAllocated = stored.dtype.itemsize * 8
    ds.BitsStored = bits
    ds.HighBit = bits - 1
    ds.PixelRepresentation = 1 if stored.dtype.kind == "i" else 0
    ds.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 else "OW"


def as_file(ds: Dataset, syntax: UID) -> FileDataset:
    """The same dataset with file meta, compressed without loss where `syntax` says so."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    raw = syntax if syntax == ImplicitVRLittleEndian else ExplicitVRLittleEndian
    meta.TransferSyntaxUID = raw
    whole = FileDataset("", ds, preamble=b"\0" * 128, file_meta=meta)
    whole.set_original_encoding(raw.is_implicit_VR, True, ds.SpecificCharacterSet)  # noqa: FBT003 - pydicom's signature
    if syntax != raw:
        whole.compress(syntax, generate_instance_uid=False)
    return whole


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item
