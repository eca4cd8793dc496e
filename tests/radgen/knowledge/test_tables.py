"""The tables hold what the rest relies on."""

from collections import Counter
from collections.abc import Iterator

import pytest
from pydicom.sr._concepts_dict import concepts

from radgen.domain.errors import UnknownTermError
from radgen.domain.finding import Measurement
from radgen.knowledge import findings, procedures, quantities, reasons
from radgen.knowledge.tables import Code

TABLES = (
    findings.entries(),
    findings.sites(),
    quantities.entries(),
    reasons.entries(),
    procedures.entries(),
    procedures.body_parts(),
)
ASKED_FINDINGS = [
    "pleural-effusion",
    "pulmonary-edema",
    "atelectasis",
    "lung-opacity",
    "consolidation",
    "cardiomegaly",
    "pneumothorax",
    "lung-nodule-mass",
    "emphysema",
    "fibrosis",
    "pleural-thickening",
    "hernia",
    "fracture",
    "device",
]
ASKED_REASONS = [
    "not-a-frontal-chest",
    "lateral-view",
    "inverted-image",
    "blank-image",
    "wrong-body-part",
    "unsupported-modality",
    "paediatric",
    "secondary-capture",
    "too-few-slices",
    "geometry-fault",
    "unreadable-pixels",
    "uncertain",
    "no-model",
    "age-unknown",
    "view-unknown",
    "incomplete-study",
    "segmentation-failed",
    "no-images",
    "localizer",
    "derived",
    "other-kernel",
    "multi-frame",
    "cropped",
    "thick-slices",
]


def codes() -> Iterator[Code]:
    for table in TABLES:
        for row in table.values():
            for name in ("code", "derivation", "procedure", "device"):
                code = getattr(row, name, None)
                if code is not None:
                    yield code


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def test_every_row_has_a_chinese_and_an_english_name():
    for table in TABLES:
        for row in table.values():
            assert is_chinese(row.zh), row.id
            assert row.en.isascii(), row.id
            assert row.en, row.id


def test_every_public_code_stands_in_the_standard_with_this_very_meaning():
    public = [code for code in codes() if code.scheme != "99RADGEN"]
    assert len(public) > 35
    for code in public:
        meanings = {
            meaning
            for by_value in concepts[code.scheme].values()
            for value, (meaning, _) in by_value.items()
            if value == code.value
        }
        assert code.meaning in meanings, code


def test_a_private_code_has_one_meaning_and_every_code_fits_its_attribute():
    private = {code for code in codes() if code.scheme == "99RADGEN"}
    assert private
    assert len({code.value for code in private}) == len(private)
    for code in codes():
        assert len(code.value) <= 16  # SH
        assert len(code.meaning) <= 64


def test_no_word_names_two_findings():
    words = Counter(
        word.casefold()
        for row in findings.entries().values()
        for word in {row.zh, row.en, *row.zh_synonyms, *row.en_synonyms}
    )
    assert [word for word, count in words.items() if count > 1] == []
    assert findings.synonyms()["胸水"] == "pleural-effusion"
    assert findings.synonyms()["pleural fluid"] == "pleural-effusion"


def test_an_absence_says_the_name_of_its_own_finding_in_both_languages():
    for row in findings.entries().values():
        assert row.absent_zh.startswith("未见") == row.absent_en.startswith("No "), row.id
        if row.absent_en.startswith("No "):
            assert row.absent_zh == f"未见{row.zh}"
            assert row.absent_en == f"No {row.en}"


def test_every_finding_lies_at_a_known_site_and_is_shown_by_a_known_modality():
    for row in findings.entries().values():
        assert row.site in findings.sites()
        assert row.modalities
        assert set(row.modalities) <= set(procedures.entries())


def test_every_quantity_lies_at_a_known_site_and_comes_in_a_known_unit():
    for row in quantities.entries().values():
        assert row.site in findings.sites()
        assert row.unit in quantities.units()


@pytest.mark.parametrize("id_", ASKED_FINDINGS)
def test_the_findings_that_packs_speak_of_are_there(id_):
    assert findings.entry(id_).id == id_


@pytest.mark.parametrize("id_", ASKED_REASONS)
def test_the_reasons_that_gates_give_are_there(id_):
    assert reasons.entry(id_).id == id_


def test_an_unknown_word_is_an_error_that_names_it():
    for ask in (findings.entry, findings.site, quantities.entry, quantities.unit, reasons.entry):
        with pytest.raises(UnknownTermError, match="ghost"):
            ask("ghost")


def test_an_unknown_modality_or_body_part_has_no_row():
    assert procedures.procedure("ZZ") is None
    assert procedures.body_part("TAIL") is None
    assert procedures.body_part("chest").code.value == "816094009"


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "printed"),
    [
        ("lung-volume-total", 4123.4, "ml", "4123 ml"),
        ("laa-950", 12.46, "%", "12.5%"),
        ("cardiothoracic-ratio", 0.516, "1", "0.52"),
        ("mean-lung-density", -812.3, "[hnsf'U]", "-812 HU"),
        ("mean-lung-density", -0.2, "[hnsf'U]", "0 HU"),
    ],
)
def test_a_value_is_printed_with_the_digits_and_sign_of_its_quantity(
    quantity, value, unit, printed
):
    assert quantities.value_and_unit(Measurement(quantity, value, unit, "m")) == printed


def test_a_wrong_unit_or_a_value_that_is_no_number_is_refused():
    with pytest.raises(UnknownTermError, match="comes in ml"):
        quantities.value_and_unit(Measurement("lung-volume-total", 4.1, "l", "m"))
    with pytest.raises(UnknownTermError, match="finite"):
        quantities.value_and_unit(Measurement("lung-volume-total", float("nan"), "ml", "m"))
