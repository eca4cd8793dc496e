"""Every planted fault is found before anything is sent, and none is found where none is."""

import copy

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radgen.dicom.check_template import check_draft
from radgen.dicom.codes import SECTIONS, coded
from radgen.domain.report import Section
from radgen.knowledge.tables import Code


def children(ds: Dataset, value: str) -> list[Dataset]:
    return [
        each for each in ds.ContentSequence if each.ConceptNameCodeSequence[0].CodeValue == value
    ]


def section(ds: Dataset, name: Section) -> Dataset:
    (found,) = children(ds, SECTIONS[name].value)
    return found


def number_item() -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "INFERRED FROM", "NUM"
    item.ConceptNameCodeSequence = coded(Code("410668003", "SCT", "Length"))
    return item


def verify(ds):
    ds.VerificationFlag = "VERIFIED"


def finalize(ds):
    ds.PreliminaryFlag = "FINAL"


def verify_by_person(ds):
    ds.VerifyingObserverSequence = Sequence([Dataset()])


def break_relationship(ds):
    section(ds, Section.FINDINGS).RelationshipType = "HAS PROPERTIES"


def break_element_relationship(ds):
    section(ds, Section.FINDINGS).ContentSequence[0].RelationshipType = "INFERRED FROM"


def unknown_heading(ds):
    section(ds, Section.FINDINGS).ConceptNameCodeSequence[0].CodeValue = "99999-9"


def heading_in_other_case(ds):
    section(ds, Section.FINDINGS).ConceptNameCodeSequence[0].CodeMeaning = "FINDINGS"


def drop_evidence(ds):
    del ds.CurrentRequestedProcedureEvidenceSequence


def foreign_image(ds):
    image = section(ds, Section.FINDINGS).ContentSequence[0].ContentSequence[0]
    image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"


def number_beside_image(ds):
    section(ds, Section.FINDINGS).ContentSequence[0].ContentSequence.append(number_item())


def image_without_purpose(ds):
    del section(ds, Section.FINDINGS).ContentSequence[0].ContentSequence[0].ConceptNameCodeSequence


def drop_first_label(ds):
    del section(ds, Section.IMPRESSION).ContentSequence[0]


def drop_last_label(ds):
    del section(ds, Section.IMPRESSION).ContentSequence[-1]


def wrong_language(ds):
    value = children(ds, "121049")[0].ConceptCodeSequence[0]
    value.CodeValue, value.CodeMeaning = "en-US", "English (United States)"


def unknown_language(ds):
    children(ds, "121049")[0].ConceptCodeSequence[0].CodeValue = "zh"


def two_languages(ds):
    ds.ContentSequence.insert(0, children(ds, "121049")[0])


def wrong_title(ds):
    ds.ConceptNameCodeSequence[0].CodeMeaning = "Diagnostic imaging report"


def continuous(ds):
    ds.ContinuityOfContent = "CONTINUOUS"


def no_template(ds):
    del ds.ContentTemplateSequence


def drop_impression(ds):
    ds.ContentSequence.remove(section(ds, Section.IMPRESSION))


def empty_text(ds):
    section(ds, Section.FINDINGS).ContentSequence[0].TextValue = " "


def empty_section(ds):
    del section(ds, Section.FINDINGS).ContentSequence


def human_observer(ds):
    item = children(ds, "121005")[0].ConceptCodeSequence[0]
    item.CodeValue, item.CodeMeaning = "121006", "Person"


def other_device(ds):
    children(ds, "121012")[0].UID = "1.2.3"


def sections_before_context(ds):
    ds.ContentSequence.insert(0, section(ds, Section.FINDINGS))
    del ds.ContentSequence[-2]


def stray_modifier(ds):
    children(ds, "121058")[0].ConceptNameCodeSequence[0].CodeValue = "1"


def person_author(ds):
    ds.AuthorObserverSequence[0].ObserverType = "PSN"


def nameless_author(ds):
    del ds.AuthorObserverSequence[0].DeviceUID


def drop_equipment(ds):
    del ds.ContributingEquipmentSequence


def modality_series(ds):
    ds.SeriesNumber = 3


def quiet_series(ds):
    ds.SeriesDescription = "Report"


def quiet_flags(ds):
    del ds.CompletionFlagDescription


def drop_type_2(ds):
    del ds.PatientID


def drop_type_1(ds):
    del ds.ReferencedRequestSequence


def other_charset(ds):
    ds.SpecificCharacterSet = "ISO_IR 100"


def drop_metadata(ds):
    del ds[0x00991002]


def foreign_metadata(ds):
    ds.SOPInstanceUID = "1.2.3"


def broken_metadata(ds):
    ds[0x00991002].value = "[" * 9


def other_class(ds):
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"


FAULTS = {
    verify: "verified",
    verify_by_person: "verified",
    finalize: "not preliminary",
    break_relationship: "relationship",
    break_element_relationship: "something else than a text",
    unknown_heading: "CID 7001",
    heading_in_other_case: "CID 7001",
    drop_evidence: "not in the evidence",
    foreign_image: "not in the evidence",
    number_beside_image: "TID 2001",
    image_without_purpose: "CID 7003",
    drop_first_label: "AI label",
    drop_last_label: "AI label",
    wrong_language: "in its language",
    unknown_language: "language",
    two_languages: "language",
    wrong_title: "title",
    continuous: "separate",
    no_template: "template",
    drop_impression: "once each",
    empty_text: "is empty",
    empty_section: "is empty",
    human_observer: "not a device",
    other_device: "not the author's",
    sections_before_context: "out of order",
    stray_modifier: "modifier",
    person_author: "not one device",
    nameless_author: "not named",
    drop_equipment: "equipment",
    modality_series: "series number",
    quiet_series: "AI draft",
    quiet_flags: "machine",
    drop_type_2: "PatientID",
    drop_type_1: "ReferencedRequestSequence",
    other_charset: "character set",
    drop_metadata: "AIGC",
    foreign_metadata: "another document",
    broken_metadata: "AIGC",
    other_class: "Comprehensive",
}


def test_nothing_is_wrong_with_any_shape(all_shapes):
    for name, written in all_shapes.items():
        assert [check_draft(ds) for ds in written.documents] == [[]] * len(written.documents), name


@pytest.mark.parametrize("plant", FAULTS)
def test_a_planted_fault_is_found(make_draft, plant):
    ds = copy.deepcopy(make_draft().documents[0])
    plant(ds)
    assert any(FAULTS[plant] in fault for fault in check_draft(ds)), check_draft(ds)


def untracked(ds):
    del children(ds, "126010")[0].ContentSequence[0].ContentSequence[0]


def without_number(ds):
    group = children(ds, "126010")[0].ContentSequence[0]
    group.ContentSequence = [each for each in group.ContentSequence if each.ValueType != "NUM"]


def without_groups(ds):
    del children(ds, "126010")[0].ContentSequence


@pytest.mark.parametrize(
    ("plant", "fault"),
    [
        (untracked, "tracked"),
        (without_number, "no number"),
        (without_groups, "no measurement"),
        (drop_evidence, "not in the evidence"),
        (wrong_title, "title"),
        (verify, "verified"),
    ],
)
def test_a_planted_fault_in_the_measurements_is_found(make_draft, plant, fault):
    ds = copy.deepcopy(make_draft().documents[-1])
    plant(ds)
    assert any(fault in each for each in check_draft(ds)), check_draft(ds)
