"""Does the header of a draft say, in every place, that it is a machine's and not verified?"""

import json
from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage

from radgen.dicom.codes import (
    PRELIMINARY_REPORT,
    PROCESSING_EQUIPMENT,
    SOURCE_DOCUMENT,
    code_of,
    listed,
)
from radgen.dicom.private_block import get_label
from radgen.dicom.sr_settings import CHARSETS
from radgen.dicom.write_header import FIRST_SERIES_NUMBER, FLAG_DESCRIPTION, SERIES_DESCRIPTION
from radgen.domain.errors import DocumentError

# Type 1 and Type 2 attributes, which an archive may insist on; the second kind may be empty.
_FILLED = (
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "InstanceNumber",
    "ContentDate",
    "ContentTime",
    "TimezoneOffsetFromUTC",
    "Manufacturer",
    "ReferencedRequestSequence",
)
_THERE = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
    "PerformedProcedureCodeSequence",
    "ReferencedPerformedProcedureStepSequence",
)
_AUTHOR = ("Manufacturer", "ManufacturerModelName", "DeviceUID")


def header_faults(ds: Dataset) -> Iterator[str]:
    """Everything wrong with the header of a draft SR."""
    if ds.get("SOPClassUID") != ComprehensiveSRStorage or ds.get("Modality") != "SR":
        yield "not a Comprehensive SR"
    if ds.get("SpecificCharacterSet") not in CHARSETS:
        yield "the character set is neither ISO_IR 192 nor GB18030"
    for keyword in _FILLED:
        if not ds.get(keyword):
            yield f"{keyword} is missing or empty"
    for keyword in _THERE:
        if keyword not in ds:
            yield f"{keyword} is missing"
    yield from _flags(ds)
    yield from _series(ds)
    yield from _author(ds)
    yield from _links(ds)
    yield from _label(ds)


def _flags(ds: Dataset) -> Iterator[str]:
    if ds.get("CompletionFlag") not in ("COMPLETE", "PARTIAL"):
        yield "the completion flag is neither COMPLETE nor PARTIAL"
    if ds.get("VerificationFlag") != "UNVERIFIED" or ds.get("VerifyingObserverSequence"):
        yield "a draft claims to be verified"
    if ds.get("PreliminaryFlag") != "PRELIMINARY":
        yield "a draft is not preliminary"
    if ds.get("CompletionFlagDescription") != FLAG_DESCRIPTION:
        yield "the flags do not say that a machine wrote it"


def _series(ds: Dataset) -> Iterator[str]:
    if ds.get("SeriesDescription") != SERIES_DESCRIPTION:
        yield "the series does not say that it is an AI draft"
    if (ds.get("SeriesNumber") or 0) < FIRST_SERIES_NUMBER:
        yield "the series number is one that modalities use"


def _author(ds: Dataset) -> Iterator[str]:
    authors = listed(ds, "AuthorObserverSequence")
    if len(authors) != 1 or authors[0].get("ObserverType") != "DEV":
        yield "the author is not one device"
    elif not all(authors[0].get(keyword) for keyword in _AUTHOR):
        yield "the author is not named"
    purposes = [
        code_of(each.get("PurposeOfReferenceCodeSequence"))
        for each in listed(ds, "ContributingEquipmentSequence")
    ]
    if PROCESSING_EQUIPMENT not in purposes:
        yield "the processing equipment is not named"


def _links(ds: Dataset) -> Iterator[str]:
    for study in listed(ds, "PredecessorDocumentsSequence"):
        for series in listed(study, "ReferencedSeriesSequence"):
            for each in listed(series, "ReferencedSOPSequence"):
                if code_of(each.get("PurposeOfReferenceCodeSequence")) != PRELIMINARY_REPORT:
                    yield "the predecessor is not called a preliminary report"
    for each in listed(ds, "ReferencedInstanceSequence"):
        if code_of(each.get("PurposeOfReferenceCodeSequence")) != SOURCE_DOCUMENT:
            yield "the original is not called a source document"


def _label(ds: Dataset) -> Iterator[str]:
    try:
        label = json.loads(get_label(ds) or "{}")
    except (ValueError, DocumentError):
        label = {}
    aigc = label.get("AIGC") if isinstance(label, dict) else None
    if not isinstance(aigc, dict) or aigc.get("Label") != "1" or not aigc.get("ReservedCode1"):
        yield "the AIGC label is missing"
    elif aigc.get("ProduceID") != ds.get("SOPInstanceUID"):
        yield "the AIGC label is of another document"
