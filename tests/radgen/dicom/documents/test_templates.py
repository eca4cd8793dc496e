"""Every shape passes every validator, and every planted fault is found before sending."""

import copy
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radgen.dicom.check_template import check_draft
from radgen.dicom.codes import ELEMENTS, RETIRED_SECTIONS, SECTIONS, coded
from radgen.dicom.read_sr import section_of
from radgen.dicom.write_header import to_bytes
from radgen.domain.report import Section
from radgen.knowledge.tables import Code

TEMPLATES_SINCE_2022 = {"122142", "123014"}  # device type and target region of TID 2000


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


def as_pixelmed_knows_it(ds: Dataset) -> Dataset:
    """The same document in the edition of PS3.16 that PixelMed 20220618 holds.

    Its CID 7001 has the DCM codes of the same headings, and its TID 2000 has two rows less.
    """
    twin = copy.deepcopy(ds)
    twin.ContentSequence = [
        each
        for each in twin.ContentSequence
        if each.ConceptNameCodeSequence[0].CodeValue not in TEMPLATES_SINCE_2022
    ]
    meanings = {
        Section.TECHNIQUE: "Current Procedure Descriptions",
        Section.FINDINGS: "Findings",
        Section.IMPRESSION: "Impressions",
    }
    for each in twin.ContentSequence:
        name = section_of(each)
        if name is not None:
            old = Code(RETIRED_SECTIONS[name], "DCM", meanings[name])
            each.ConceptNameCodeSequence = coded(old)
    return twin


def saved(folder: Path, ds: Dataset, name: str) -> Path:
    path = folder / f"{name.replace(' ', '_')}.dcm"
    path.write_bytes(to_bytes(ds))
    return path


@pytest.fixture(scope="module")
def every_document(all_shapes) -> dict[str, Dataset]:
    return {
        f"{name} {index}": ds
        for name, written in all_shapes.items()
        for index, ds in enumerate(written.documents)
    }


@pytest.mark.validators
def test_dciodvfy_finds_no_error_and_no_warning_in_any_shape(validators, every_document, tmp_path):
    for name, ds in every_document.items():
        assert validators.dciodvfy(saved(tmp_path, ds, name)) == [], name


@pytest.mark.validators
def test_dsrdump_finds_no_error_and_no_warning_in_any_shape(validators, every_document, tmp_path):
    for name, ds in every_document.items():
        assert validators.dsrdump(saved(tmp_path, ds, name)) == [], name


@pytest.mark.validators
def test_a_gb18030_document_is_its_valid_utf_8_twin(
    validators, make_draft, make_header, make_settings, tmp_path
):
    """dciodvfy splits GB18030 characters at their 5C and 5E, so the twin stands in for it."""
    source = make_header(PatientName="乗乛^三")
    for index in range(3):
        chinese, twin = (
            make_draft(source=source, site=make_settings(charset=charset)).documents[index]
            for charset in ("GB18030", "ISO_IR 192")
        )
        assert validators.dsrdump(saved(tmp_path, chinese, f"gb {index}")) == []
        assert validators.dciodvfy(saved(tmp_path, twin, f"twin {index}")) == []
        differences = [e.tag for e in chinese if e != twin.get(e.tag)]
        assert differences == [0x00080005]


@pytest.mark.validators
@pytest.mark.timeout(600)
def test_pixelmed_finds_no_error_and_no_warning_but_finds_planted_ones(
    validators, every_document, make_draft, tmp_path
):
    # One JVM reads all files, but each costs seconds: documents with the same rows go once.
    shapes = (
        "full",
        "refused 0",
        "incomplete 0",
        "radiograph",
        "unknown modality",
        "frame of many",
    )
    sent = {name: ds for name, ds in every_document.items() if name.startswith(shapes)}
    paths = {name: saved(tmp_path, as_pixelmed_knows_it(ds), name) for name, ds in sent.items()}
    for plant in (number_beside_image, wrong_title, unknown_heading, unknown_language):
        ds = copy.deepcopy(make_draft().documents[0])
        plant(ds)
        paths[plant.__name__] = saved(tmp_path, as_pixelmed_knows_it(ds), plant.__name__)
    found = validators.pixelmed(list(paths.values()))
    for name, path in paths.items():
        if name in sent:
            assert found[path] == [], name
        else:
            assert found[path] != [], name


@pytest.mark.validators
def test_the_gates_do_close(validators, make_draft, tmp_path):
    ds = copy.deepcopy(make_draft().documents[0])
    verify(ds)
    assert validators.dciodvfy(saved(tmp_path, ds, "verified")) != []
    ds = copy.deepcopy(make_draft().documents[0])
    break_element_relationship(ds)
    assert validators.dsrdump(saved(tmp_path, ds, "relationship")) != []


@pytest.mark.validators
def test_a_reader_of_the_rendered_document_meets_the_warning_first(
    validators, make_draft, tmp_path
):
    page = validators.html(saved(tmp_path, make_draft().documents[0], "page"))
    body = page[page.index("<h2>") :]
    words = [
        "本报告由人工智能生成，未经医师审核",
        "右侧考虑胸腔积液，积液量 561 ml。",
        "未评估：骨折",
    ]
    assert sorted(words, key=body.index) == words
    assert body.rindex(words[0]) > body.rindex("1. ")
    assert "UNVERIFIED" in page
    assert ELEMENTS[Section.FINDINGS].meaning in body
