"""Our own SR back into the draft it was written from; anything else is refused.

What a reader sees is the tree and what the engine reads is the JSON beside it, so the two must say
the same: an instance whose text was edited is not our draft any more.
"""

import warnings
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.filereader import dcmread
from pydicom.uid import ComprehensiveSRStorage, DeflatedExplicitVRLittleEndian

from radgen.dicom.codes import LANGUAGE, LANGUAGES, RETIRED_SECTIONS, SECTIONS, code_of, listed
from radgen.dicom.draft_uids import TEXT_KIND, sop_instance_uid
from radgen.dicom.private_block import get_draft
from radgen.dicom.read_file import READ_ERRORS, cause_of, check_depth
from radgen.domain.errors import DocumentError, StoreError, UnreadableInstanceError
from radgen.domain.report import DraftReport, Language, Section
from radgen.records import from_json

MAX_BYTES = 64_000_000


def open_document(data: bytes) -> Dataset:
    """Parses one Part 10 instance that came from a peer.

    Raises: UnreadableInstanceError if it is too long, deflated, nested too deep, or no DICOM.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableInstanceError("longer than any report")
    # Anywhere at all: a padded meta header must not hide it, and no report of ours holds the UID.
    if DeflatedExplicitVRLittleEndian.encode() in data:
        raise UnreadableInstanceError("deflated transfer syntax is refused")
    try:
        # Warnings name values; what they warn of is read as text or refused below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = dcmread(BytesIO(data))
            check_depth(ds)
    except READ_ERRORS as error:
        raise UnreadableInstanceError(cause_of(error)) from error
    return ds


def read_draft(ds: Dataset) -> DraftReport:
    """The draft that this document was written from, equal to it in every field.

    Raises: DocumentError if the document is not one of ours, or its UID or its text is not what
        its own draft makes; UnreadableInstanceError if it cannot be parsed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_depth(ds)
            return _read(ds)
    except READ_ERRORS as error:
        raise UnreadableInstanceError(cause_of(error)) from error


def _read(ds: Dataset) -> DraftReport:
    draft = get_draft(ds) if ds.get("SOPClassUID") == ComprehensiveSRStorage else None
    if draft is None:
        raise DocumentError("not a draft report of this engine")
    try:
        report = from_json(DraftReport, draft)
    except StoreError as error:
        raise DocumentError("the private block holds no draft") from error
    language = _language(ds)
    if language is None or not any(each.language is language for each in report.texts):
        raise DocumentError("the tree is in a language that the draft does not have")
    if ds.get("SOPInstanceUID") != sop_instance_uid(report, TEXT_KIND[language]):
        raise DocumentError("the instance is not named for its own content")
    if ds.get("StudyInstanceUID") != report.study_uid:
        raise DocumentError("the instance is in another study than its draft")
    if _tree_text(ds) != _draft_text(report, language):
        raise DocumentError("the tree does not say what the draft says")
    return report


Text = list[tuple[Section, list[str]]]


def _draft_text(report: DraftReport, language: Language) -> Text:
    (text,) = [each for each in report.texts if each.language is language]
    return [
        (part.section, [each.text for each in part.sentences])
        for part in text.sections
        if part.sentences
    ]


def _tree_text(ds: Dataset) -> Text:
    return [
        (section, [str(each.get("TextValue", "")) for each in listed(child, "ContentSequence")])
        for child in listed(ds, "ContentSequence")
        if (section := section_of(child)) is not None
    ]


def section_of(item: Dataset) -> Section | None:
    """The section a container heads, by its LOINC code or the DCM code of older documents."""
    name = code_of(item.get("ConceptNameCodeSequence"))
    if name is None or item.get("ValueType") != "CONTAINER":
        return None
    for section, code in SECTIONS.items():
        written = (code.value, code.scheme)
        if (name.value, name.scheme) in (written, (RETIRED_SECTIONS[section], "DCM")):
            return section
    return None


def _language(ds: Dataset) -> Language | None:
    for child in listed(ds, "ContentSequence"):
        if code_of(child.get("ConceptNameCodeSequence")) == LANGUAGE:
            value = code_of(child.get("ConceptCodeSequence"))
            return next((each for each, code in LANGUAGES.items() if code == value), None)
    return None
