"""SR Document General (PS3.3 C.17.2): flags, author, order, evidence, what it replaces."""

from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import UID, ComprehensiveSRStorage

from radgen.dicom import content_items as items
from radgen.dicom.codes import (
    DEVICE,
    DEVICE_MANUFACTURER,
    DEVICE_MODEL,
    DEVICE_NAME,
    DEVICE_SERIAL,
    DEVICE_UID,
    OBSERVER_TYPE,
    PRELIMINARY_REPORT,
    SOURCE_DOCUMENT,
    coded,
)
from radgen.dicom.copy_identity import request_of
from radgen.dicom.draft_uids import TEXT_KIND, series_uid
from radgen.dicom.sr_settings import SrSettings
from radgen.dicom.write_header import FLAG_DESCRIPTION
from radgen.domain.finding import FindingStructure, ImageEvidence
from radgen.domain.report import DraftReport

_FAILED_SECTION = "segmentation-failed"
_MISSING_IMAGES = "incomplete-study"


def put_flags(ds: Dataset, structure: FindingStructure) -> None:
    """A draft is unverified and preliminary, whatever else it is."""
    ds.CompletionFlag = "PARTIAL" if is_partial(structure) else "COMPLETE"
    ds.CompletionFlagDescription = FLAG_DESCRIPTION
    ds.VerificationFlag = "UNVERIFIED"
    ds.PreliminaryFlag = "PRELIMINARY"


def is_partial(structure: FindingStructure) -> bool:
    """True if images were missing, a section failed, or the study was refused."""
    limits = {_FAILED_SECTION, _MISSING_IMAGES} & set(structure.cautions)
    return bool(structure.missing or structure.refusal or limits)


def put_author(ds: Dataset, settings: SrSettings) -> None:
    """Author Observer Sequence: the device, never a person.

    Software Versions has no place in this macro (PS3.3 table C.17-3b); the equipment names them.
    """
    author = Dataset()
    author.ObserverType = "DEV"
    author.Manufacturer = settings.manufacturer
    author.InstitutionName = settings.institution
    author.InstitutionCodeSequence = ItemSequence()
    author.StationName = settings.station
    author.ManufacturerModelName = settings.model_name
    author.DeviceUID = UID(settings.device_uid)
    ds.AuthorObserverSequence = ItemSequence([author])


def put_order(ds: Dataset, source: Dataset) -> None:
    """Referenced Request Sequence; Type 2 throughout, so empty where the header says nothing."""
    request = Dataset()
    request.StudyInstanceUID = ds.StudyInstanceUID
    request.ReferencedStudySequence = ItemSequence()
    request.AccessionNumber = ds.AccessionNumber
    for keyword, value in request_of(source).items():
        setattr(request, keyword, value)
    request.RequestedProcedureCodeSequence = ItemSequence()
    ds.ReferencedRequestSequence = ItemSequence([request])
    # SR Document Series (C.17.1): there, and empty where no performed step is known.
    ds.ReferencedPerformedProcedureStepSequence = ItemSequence()
    ds.PerformedProcedureCodeSequence = ItemSequence()


def put_evidence(ds: Dataset, images: Sequence[ImageEvidence]) -> None:
    """Current Requested Procedure Evidence: every instance read, once, by series."""
    by_series: dict[str, dict[str, str]] = {}
    for each in images:
        series = by_series.setdefault(each.series_instance_uid, {})
        series.setdefault(each.sop_instance_uid, each.sop_class_uid)
    if by_series:
        series_items = [_series_item(uid, read) for uid, read in by_series.items()]
        ds.CurrentRequestedProcedureEvidenceSequence = _study(ds, series_items)


def put_predecessor(ds: Dataset, report: DraftReport) -> None:
    """Predecessor Documents Sequence, where the draft replaces one (CID 7009: preliminary)."""
    if report.predecessor is None:
        return
    version = report.predecessor_version or report.version - 1
    former = _reference(str(ComprehensiveSRStorage), report.predecessor)
    former.PurposeOfReferenceCodeSequence = coded(PRELIMINARY_REPORT)
    series = Dataset()
    series.SeriesInstanceUID = UID(
        series_uid(report.study_uid, version, TEXT_KIND[report.texts[0].language])
    )
    series.ReferencedSOPSequence = ItemSequence([former])
    ds.PredecessorDocumentsSequence = _study(ds, [series])


def put_original(ds: Dataset, primary: Dataset) -> None:
    """Referenced Instance Sequence: the document this one is made from."""
    original = _reference(str(primary.SOPClassUID), str(primary.SOPInstanceUID))
    original.PurposeOfReferenceCodeSequence = coded(SOURCE_DOCUMENT)
    ds.ReferencedInstanceSequence = ItemSequence([original])


def observer_items(settings: SrSettings) -> list[Dataset]:
    """TID 1002 and 1004: the observer is a device."""
    context = items.HAS_OBS_CONTEXT
    named = (
        (DEVICE_NAME, settings.station),
        (DEVICE_MANUFACTURER, settings.manufacturer),
        (DEVICE_MODEL, settings.model_name),
        (DEVICE_SERIAL, settings.device_serial),
    )
    return [
        items.code(OBSERVER_TYPE, DEVICE, context),
        items.uid(DEVICE_UID, settings.device_uid, context),
        *(items.text(name, value, context) for name, value in named if value),
    ]


def put_root(ds: Dataset, root: Dataset) -> None:
    """Makes the container the document's own root item; a root has no relationship."""
    del root.RelationshipType
    ds.update(root)


def _study(ds: Dataset, series_items: list[Dataset]) -> ItemSequence:
    study = Dataset()
    study.StudyInstanceUID = ds.StudyInstanceUID
    study.ReferencedSeriesSequence = ItemSequence(series_items)
    return ItemSequence([study])


def _series_item(series_instance_uid: str, read: dict[str, str]) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = UID(series_instance_uid)
    series.ReferencedSOPSequence = ItemSequence(
        [_reference(sop_class, instance) for instance, sop_class in read.items()]
    )
    return series


def _reference(sop_class: str, instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = UID(sop_class)
    item.ReferencedSOPInstanceUID = UID(instance)
    return item
