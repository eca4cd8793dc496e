"""The content items our trees are made of (PS3.3 C.17.3); every function makes one item."""

from collections.abc import Iterable, Sequence

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import UID

from radgen.dicom.codes import coded
from radgen.domain.finding import ImageEvidence
from radgen.knowledge.tables import Code

CONTAINS = "CONTAINS"
HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
HAS_OBS_CONTEXT = "HAS OBS CONTEXT"
INFERRED_FROM = "INFERRED FROM"


def container(name: Code, children: Iterable[Dataset], relationship: str = CONTAINS) -> Dataset:
    """A heading and what stands under it."""
    item = _item("CONTAINER", name, relationship)
    item.ContinuityOfContent = "SEPARATE"
    return with_children(item, children)


def text(name: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    """One text."""
    item = _item("TEXT", name, relationship)
    item.TextValue = value
    return item


def code(name: Code, value: Code, relationship: str = CONTAINS) -> Dataset:
    """One coded value."""
    item = _item("CODE", name, relationship)
    item.ConceptCodeSequence = coded(value)
    return item


def uid(name: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    """One UID."""
    item = _item("UIDREF", name, relationship)
    item.UID = UID(value)
    return item


def number(name: Code, value: str, unit: Code) -> Dataset:
    """One measured value; `value` is a decimal string of at most 16 characters."""
    item = _item("NUM", name, CONTAINS)
    measured = Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = coded(unit)
    item.MeasuredValueSequence = ItemSequence([measured])
    return item


def image(name: Code | None, evidence: ImageEvidence, relationship: str) -> Dataset:
    """One reference to an image, or to one frame of it."""
    item = _item("IMAGE", name, relationship)
    reference = Dataset()
    reference.ReferencedSOPClassUID = UID(evidence.sop_class_uid)
    reference.ReferencedSOPInstanceUID = UID(evidence.sop_instance_uid)
    if evidence.frame is not None:
        reference.ReferencedFrameNumber = evidence.frame
    item.ReferencedSOPSequence = ItemSequence([reference])
    return item


def with_children(item: Dataset, children: Iterable[Dataset]) -> Dataset:
    """Hangs children under an item; no empty sequence is written."""
    listed = list(children)
    if listed:
        item.ContentSequence = ItemSequence(listed)
    return item


def template(item: Dataset, identifier: str) -> Dataset:
    """Says which template of PS3.16 a container follows."""
    said = Dataset()
    said.MappingResource = "DCMR"
    said.TemplateIdentifier = identifier
    item.ContentTemplateSequence = ItemSequence([said])
    return item


def unique_images(evidence: Sequence[ImageEvidence]) -> list[ImageEvidence]:
    """The same instance and frame named once, first place first (boxes are not in the tree)."""
    named: dict[tuple[str, int | None], ImageEvidence] = {}
    for each in evidence:
        named.setdefault((each.sop_instance_uid, each.frame), each)
    return list(named.values())


def _item(value_type: str, name: Code | None, relationship: str) -> Dataset:
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = value_type
    if name is not None:
        item.ConceptNameCodeSequence = coded(name)
    return item
