"""Is this draft fit to be sent? Our own check of every row of TID 2000 and of the header.

The public validators each miss something (a wrong relationship, an unknown heading, a lost label),
and none of them is there at the time of sending.
"""

from collections.abc import Callable, Iterator

from pydicom.dataset import Dataset

from radgen.dicom import codes
from radgen.dicom.check_header import header_faults
from radgen.dicom.codes import code_of, listed
from radgen.domain.report import Language, Section
from radgen.knowledge.labels import AI_LABEL
from radgen.knowledge.tables import Code

_ORDER = ("HAS CONCEPT MOD", "HAS OBS CONTEXT", "CONTAINS")
_ILLUSTRATIONS = {codes.BEST_ILLUSTRATION}
_MODIFIERS = (
    codes.PROCEDURE_REPORTED,
    codes.DEVICE_TYPE,
    codes.TARGET_REGION,
    codes.LANGUAGE,
)
_OBSERVER = (
    codes.OBSERVER_TYPE,
    codes.DEVICE_UID,
    codes.DEVICE_NAME,
    codes.DEVICE_MANUFACTURER,
    codes.DEVICE_MODEL,
    codes.DEVICE_SERIAL,
)

Check = Callable[[Dataset], Iterator[str]]


def check_draft(ds: Dataset) -> list[str]:
    """Everything wrong with a draft document, in words; empty when it may be sent."""
    template = _template(ds)
    trees: dict[str, tuple[Check, ...]] = {
        "2000": (_root, _modifiers, _observer, _sections, _labels, _references),
        "1500": (_observer, _groups, _references),
    }
    faults = list(header_faults(ds))
    if template not in trees:
        return [*faults, "the template is neither 2000 nor 1500"]
    return faults + [fault for check in trees[template] for fault in check(ds)]


def _root(ds: Dataset) -> Iterator[str]:
    if ds.get("ValueType") != "CONTAINER" or ds.get("ContinuityOfContent") != "SEPARATE":
        yield "the root is not a container of separate items"
    if _name(ds) != codes.DIAGNOSTIC_IMAGING_REPORT:
        yield "the title is not Diagnostic Imaging Report"
    relationships = [str(each.get("RelationshipType", "")) for each in _children(ds)]
    if not set(relationships) <= set(_ORDER):
        yield "a child of the root has a relationship that TID 2000 does not have"
    elif relationships != sorted(relationships, key=_ORDER.index):
        yield "the children of the root are out of order"


def _modifiers(ds: Dataset) -> Iterator[str]:
    names = [_name(each) for each in _related(ds, "HAS CONCEPT MOD")]
    if not set(names) <= set(_MODIFIERS):
        yield "a concept modifier is not of TID 2000"
    if names.count(codes.LANGUAGE) != 1 or _language(ds) is None:
        yield "the language is not said once, as zh-CN or en-US"


def _observer(ds: Dataset) -> Iterator[str]:
    context = {_name(each): each for each in _related(ds, "HAS OBS CONTEXT")}
    if not set(context) <= set(_OBSERVER):
        yield "the observer context has an item that a device does not have"
    kind = context.get(codes.OBSERVER_TYPE)
    if kind is None or code_of(kind.get("ConceptCodeSequence")) != codes.DEVICE:
        yield "the observer is not a device"
    authors = listed(ds, "AuthorObserverSequence")
    device = context.get(codes.DEVICE_UID)
    said = device.get("UID") if device is not None else None
    if not said or any(said != author.get("DeviceUID") for author in authors):
        yield "the observer's UID is not the author's"


def _sections(ds: Dataset) -> Iterator[str]:
    found: list[Section] = []
    by_name = {name: section for section, name in codes.SECTIONS.items()}
    for child in _related(ds, "CONTAINS"):
        section = by_name.get(_name(child) or codes.FINDING)
        if section is None or child.get("ValueType") != "CONTAINER":
            yield "a heading is not of CID 7001"
            continue
        found.append(section)
        if not _children(child):
            yield f"the section {section} is empty"
        for element in _children(child):
            yield from _element(element, section)
    if len(set(found)) != len(found) or not {Section.FINDINGS, Section.IMPRESSION} <= set(found):
        yield "findings and impression do not stand there once each"


def _element(element: Dataset, section: Section) -> Iterator[str]:
    if element.get("ValueType") != "TEXT" or element.get("RelationshipType") != "CONTAINS":
        yield f"the section {section} contains something else than a text"
    if _name(element) != codes.ELEMENTS[section]:
        yield f"a text of the section {section} has another concept name"
    if not str(element.get("TextValue", "")).strip():
        yield f"a text of the section {section} is empty"
    for child in _children(element):
        is_image = child.get("ValueType") == "IMAGE" and not _children(child)
        if not is_image or child.get("RelationshipType") != "INFERRED FROM":
            yield "under a text stands something else than an image it is inferred from (TID 2001)"
        elif _name(child) not in _ILLUSTRATIONS:
            yield "an image has no purpose of CID 7003"


def _labels(ds: Dataset) -> Iterator[str]:
    language = _language(ds)
    label = AI_LABEL[language] if language else None
    texts = {_name(child): _texts(child) for child in _related(ds, "CONTAINS")}
    impression = texts.get(codes.SECTIONS[Section.IMPRESSION]) or [""]
    last = next(reversed(texts.values()), None) or [""]
    if impression[0] != label or last[-1] != label:
        yield "the AI label does not open the impression and close the document in its language"


def _groups(ds: Dataset) -> Iterator[str]:
    if _name(ds) != codes.IMAGING_MEASUREMENT_REPORT:
        yield "the title is not Imaging Measurement Report"
    measured = [each for each in _children(ds) if _name(each) == codes.IMAGING_MEASUREMENTS]
    groups = [group for each in measured for group in _children(each)]
    if not groups:
        yield "there is no measurement"
    for group in groups:
        names = [_name(each) for each in _children(group)]
        if names[:2] != [codes.TRACKING_ID, codes.TRACKING_UID]:
            yield "a measurement group cannot be tracked"
        if not any(each.get("ValueType") == "NUM" for each in _children(group)):
            yield "a measurement group has no number"


def _references(ds: Dataset) -> Iterator[str]:
    evidence = {
        each.get("ReferencedSOPInstanceUID")
        for study in listed(ds, "CurrentRequestedProcedureEvidenceSequence")
        for series in listed(study, "ReferencedSeriesSequence")
        for each in listed(series, "ReferencedSOPSequence")
    }
    named = {
        reference.get("ReferencedSOPInstanceUID")
        for item in _walk(ds)
        for reference in listed(item, "ReferencedSOPSequence")
    }
    if not named <= evidence:
        yield "an image of the tree is not in the evidence"


def _walk(ds: Dataset) -> Iterator[Dataset]:
    level = _children(ds)
    while level:
        yield from level
        level = [child for item in level for child in _children(item)]


def _template(ds: Dataset) -> str:
    said = listed(ds, "ContentTemplateSequence")
    is_dicom = any(each.get("MappingResource") == "DCMR" for each in said)
    return str(said[0].get("TemplateIdentifier", "")) if is_dicom else ""


def _language(ds: Dataset) -> Language | None:
    for child in _related(ds, "HAS CONCEPT MOD"):
        if _name(child) == codes.LANGUAGE:
            value = code_of(child.get("ConceptCodeSequence"))
            return next((each for each, code in codes.LANGUAGES.items() if code == value), None)
    return None


def _children(item: Dataset) -> list[Dataset]:
    return listed(item, "ContentSequence")


def _related(item: Dataset, relationship: str) -> list[Dataset]:
    return [each for each in _children(item) if each.get("RelationshipType") == relationship]


def _texts(item: Dataset) -> list[str]:
    return [str(each.get("TextValue", "")) for each in _children(item)]


def _name(item: Dataset) -> Code | None:
    """Value, scheme and meaning together: a meaning in another case is another name."""
    return code_of(item.get("ConceptNameCodeSequence"))
