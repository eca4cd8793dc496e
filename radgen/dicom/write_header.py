"""The modules every document of ours shares: patient, study, series, equipment, SOP common."""

import re
from datetime import datetime, timedelta, timezone

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ImplicitVRLittleEndian

from radgen.dicom.codes import PROCESSING_EQUIPMENT, coded
from radgen.dicom.copy_identity import copy_identity, text_of
from radgen.dicom.draft_uids import DocumentKind, series_uid, sop_instance_uid
from radgen.dicom.private_block import put_label
from radgen.dicom.sr_settings import CHARSETS, SrSettings
from radgen.domain.errors import DocumentError
from radgen.domain.report import DraftReport
from radgen.records import to_json

SERIES_DESCRIPTION = "AI DRAFT - NOT REVIEWED / AI草稿 未经医师审核"
FLAG_DESCRIPTION = "AI草稿 未经医师审核 / AI draft, not verified"
FIRST_SERIES_NUMBER = 900
_IMPLEMENTATION_UID = UID("2.25.147553908463312064711930227764214091283")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})")
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")


def new_document(
    report: DraftReport, source: Dataset, settings: SrSettings, kind: DocumentKind, sop_class: UID
) -> Dataset:
    """A document without content: everything but the modules of its own SOP class.

    Raises: DocumentError if `source` is of another study, or the settings or the draft cannot be
        written (unknown character set, a date without a zone, a UID that is none).
    """
    _refuse_unwritable(report, source, settings)
    ds = Dataset()
    ds.SpecificCharacterSet = settings.charset
    copy_identity(source, ds)
    ds.TimezoneOffsetFromUTC = text_of(source, "TimezoneOffsetFromUTC") or settings.timezone
    ds.StudyInstanceUID = UID(report.study_uid)
    _put_equipment(ds, settings)
    _put_instance(ds, report, kind, sop_class)
    _put_contribution(ds, settings)
    put_label(ds, settings.producer_code, to_json(report))
    return ds


def to_bytes(ds: Dataset) -> bytes:
    """Part 10 bytes: the same dataset always gives the same bytes."""
    buffer = DicomBytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    return bytes(buffer.getvalue())


def written_at(ds: Dataset, at: datetime) -> datetime:
    """The moment in the time zone that all dates of this dataset are in."""
    found = _OFFSET.fullmatch(str(ds.TimezoneOffsetFromUTC))
    if found is None:
        raise DocumentError("the time zone is no offset like +0800")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return at.astimezone(timezone(-offset if found[1] == "-" else offset))


def _refuse_unwritable(report: DraftReport, source: Dataset, settings: SrSettings) -> None:
    if settings.charset not in CHARSETS:
        raise DocumentError(f"the character set is none of {', '.join(CHARSETS)}")
    if report.drafted_at.tzinfo is None:
        raise DocumentError("the draft's time has no time zone")
    if report.version < 1:
        raise DocumentError("versions count from 1")
    uids = (report.study_uid, settings.device_uid)
    if not all(_UID.fullmatch(each) and len(each) <= 64 for each in uids):
        raise DocumentError("the study or the device has no valid UID")
    if text_of(source, "StudyInstanceUID") != report.study_uid:
        raise DocumentError("the source header is of another study")


def _put_equipment(ds: Dataset, settings: SrSettings) -> None:
    ds.Manufacturer = settings.manufacturer
    ds.InstitutionName = settings.institution
    ds.StationName = settings.station
    ds.ManufacturerModelName = settings.model_name
    ds.DeviceSerialNumber = settings.device_serial
    ds.SoftwareVersions = settings.software_version


def _put_instance(ds: Dataset, report: DraftReport, kind: DocumentKind, sop_class: UID) -> None:
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = UID(sop_instance_uid(report, kind))
    ds.Modality = "OT" if kind is DocumentKind.PICTURE else "SR"
    ds.SeriesInstanceUID = UID(series_uid(report.study_uid, report.version, kind))
    # Beyond the numbers that modalities use; the documents of a version follow each other.
    ds.SeriesNumber = (
        FIRST_SERIES_NUMBER + len(DocumentKind) * report.version + list(DocumentKind).index(kind)
    )
    ds.SeriesDescription = SERIES_DESCRIPTION
    ds.InstanceNumber = 1
    moment = written_at(ds, report.drafted_at)
    for part in ("InstanceCreation", "Series", "Content"):
        setattr(ds, f"{part}Date", f"{moment:%Y%m%d}")
        setattr(ds, f"{part}Time", f"{moment:%H%M%S.%f}")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    # The default of PS3.5 10.1, which every peer must take. It also names no VR for the private
    # block, of which validators without our dictionary would otherwise warn.
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION_UID
    meta.ImplementationVersionName = "RADGEN"
    ds.file_meta = meta


def _put_contribution(ds: Dataset, settings: SrSettings) -> None:
    """Contributing Equipment Sequence (PS3.3 C.12.1.1.5); the description is the inference id."""
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = coded(PROCESSING_EQUIPMENT)
    item.Manufacturer = settings.manufacturer
    item.InstitutionName = settings.institution
    item.StationName = settings.station
    item.ManufacturerModelName = settings.model_name
    item.DeviceSerialNumber = settings.device_serial
    item.SoftwareVersions = settings.software_version
    item.ContributionDateTime = f"{ds.ContentDate}{ds.ContentTime}{ds.TimezoneOffsetFromUTC}"
    item.ContributionDescription = str(ds.SOPInstanceUID)
    ds.ContributingEquipmentSequence = Sequence([item])
