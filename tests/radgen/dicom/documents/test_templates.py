"""Every shape passes every validator, and the validators do complain when they should."""

import copy
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from radgen.dicom.check_template import check_draft
from radgen.dicom.codes import ELEMENTS, RETIRED_SECTIONS, coded
from radgen.dicom.read_header import read_dataset
from radgen.dicom.read_sr import section_of
from radgen.dicom.write_header import to_bytes
from radgen.domain.report import Section
from radgen.knowledge.tables import Code

TEMPLATES_SINCE_2022 = {"122142", "123014"}  # device type and target region of TID 2000


def findings(ds: Dataset) -> Dataset:
    (found,) = [each for each in ds.ContentSequence if section_of(each) is Section.FINDINGS]
    return found


def verify(ds):
    ds.VerificationFlag = "VERIFIED"


def break_relationship(ds):
    findings(ds).ContentSequence[0].RelationshipType = "INFERRED FROM"


def unknown_heading(ds):
    findings(ds).ConceptNameCodeSequence[0].CodeValue = "99999-9"


def wrong_title(ds):
    ds.ConceptNameCodeSequence[0].CodeMeaning = "Diagnostic imaging report"


def number_beside_image(ds):
    item = Dataset()
    item.RelationshipType, item.ValueType = "INFERRED FROM", "NUM"
    item.ConceptNameCodeSequence = coded(Code("410668003", "SCT", "Length"))
    findings(ds).ContentSequence[0].ContentSequence.append(item)


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
    for plant in (number_beside_image, wrong_title, unknown_heading):
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
    break_relationship(ds)
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


@pytest.mark.validators
@pytest.mark.shared_data
def test_the_headers_of_real_scanners_make_valid_reports(
    validators, make_draft, shared_data, tmp_path
):
    files = sorted((shared_data / "dicom_samples").rglob("*.dcm"))[::12]
    files += sorted((shared_data / "dicom_cxr").rglob("*.dcm"))[::8]
    assert len(files) > 5
    for index, path in enumerate(files):
        source = read_dataset(path)
        ds = make_draft(source=source, study_uid=str(source.StudyInstanceUID)).documents[0]
        assert check_draft(ds) == [], path
        found = validators.dciodvfy(saved(tmp_path, ds, str(index)))
        # The patient's name is the scanner's to write, also without a caret.
        assert [each for each in found if "Retired Person Name form" not in each] == [], path
