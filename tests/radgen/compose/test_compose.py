"""Sentences say what the structure says: all of it, once, and nothing else."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radgen.compose.compose import compose
from radgen.domain.errors import PackError, UnknownTermError
from radgen.domain.finding import (
    Certainty,
    Finding,
    FindingStructure,
    Measurement,
    PackIdentity,
    Presence,
    Side,
    Source,
)
from radgen.domain.report import Language, ReportText, Section, Sentence
from radgen.knowledge import findings, quantities, reasons
from radgen.knowledge.labels import AI_LABEL

PACK = PackIdentity("chest", "1.0.0", "a" * 64)
ZH_SIDES = {"右": "right", "左": "left", "双": "bilateral"}
NORMALITY = re.compile(r"未见|正常|\b[Nn]o\b|not enlarged|normal|absent")


def measurements() -> st.SearchStrategy[Measurement]:
    rows = st.sampled_from(sorted(quantities.entries().values(), key=lambda row: row.id))
    return st.builds(
        lambda row, value, side: Measurement(
            row.id, value, row.unit, "a method", None if row.side else side
        ),
        rows,
        st.floats(-1000, 9000),
        st.none() | st.sampled_from(Side),
    )


@st.composite
def one_finding(draw: st.DrawFn) -> Finding:
    presence = draw(st.sampled_from(Presence))
    is_gap = presence is Presence.NOT_ASSESSED
    return Finding(
        draw(st.sampled_from(sorted(findings.entries()))),
        presence,
        Source.CLASSIFIER,
        draw(st.none() | st.sampled_from(Certainty)) if presence is Presence.PRESENT else None,
        draw(st.none() | st.sampled_from(Side)),
        draw(st.none() | st.sampled_from(sorted(findings.sites()))),
        None if is_gap else draw(st.none() | st.floats(0.1, 300)),
        measurements=() if is_gap else tuple(draw(st.lists(measurements(), max_size=2))),
        reason=draw(st.none() | st.sampled_from(["uncertain", "no-model"])) if is_gap else None,
    )


structures = st.builds(
    FindingStructure,
    modality=st.sampled_from(["CR", "DX", "CT", "ZZ"]),
    body_part=st.sampled_from(["CHEST", "", "TAIL"]),
    pack=st.just(PACK),
    findings=st.lists(one_finding(), max_size=8).map(tuple),
    measurements=st.lists(measurements(), max_size=3).map(tuple),
    cautions=st.lists(st.sampled_from(sorted(reasons.entries())), max_size=2).map(tuple),
    missing=st.none() | st.integers(0, 300),
)


def section(text: ReportText, name: Section) -> tuple[Sentence, ...]:
    (found,) = [each.sentences for each in text.sections if each.section is name]
    return found


def pairs(structure: FindingStructure):
    zh, en = compose(structure)
    for one, other in zip(zh.sections, en.sections, strict=True):
        yield from zip(one.sentences, other.sentences, strict=True)


def zh_sides(text: str) -> list[str]:
    names = [
        name
        for row in findings.entries().values()
        for name in (row.zh, row.absent_zh.removeprefix("未见"))
    ]
    for name in names:
        text = text.replace(name, "")
    return sorted(ZH_SIDES[each] for each in re.findall("[右左双]", text))


def en_sides(text: str) -> list[str]:
    words = re.findall(r"\b(right|left|bilateral|either)\b", text.lower())
    return sorted("bilateral" if each == "either" else each for each in words)


@given(structures)
@settings(max_examples=300, deadline=None)
def test_each_finding_is_stated_exactly_once_in_the_findings_section(structure):
    for text in compose(structure):
        stated = [i for each in section(text, Section.FINDINGS) for i in each.findings]
        assert sorted(stated) == list(range(len(structure.findings)))


@given(structures)
@settings(max_examples=300, deadline=None)
def test_both_languages_tell_the_same_of_the_same_findings_in_the_same_order(structure):
    for zh, en in pairs(structure):
        assert zh.findings == en.findings
        numbers = r"-?\d+(?:\.\d+)?(?: mm| ml| HU|%)?"
        assert sorted(re.findall(numbers, zh.text.replace("第15百", "15百"))) == sorted(
            re.findall(numbers, re.sub(r"15th|ground-glass", lambda m: m[0][:2], en.text))
        )
        assert zh_sides(zh.text) == en_sides(en.text)


@given(structures)
@settings(max_examples=300, deadline=None)
def test_what_was_not_assessed_is_never_called_normal_or_absent(structure):
    gaps = {
        index
        for index, each in enumerate(structure.findings)
        if each.presence is Presence.NOT_ASSESSED
    }
    for text in compose(structure):
        for each in (each for part in text.sections for each in part.sentences):
            if gaps & set(each.findings):
                assert set(each.findings) <= gaps
                assert re.match(r"未评估：|Not assessed: ", each.text)
                assert not NORMALITY.search(re.sub(r"[（(].*", "", each.text))
    assessed = len(gaps) < len(structure.findings)
    if not assessed:
        said = " ".join(
            each.text for text in compose(structure) for each in section(text, Section.IMPRESSION)
        )
        assert not re.search(r"未见|No positive", said)


@given(structures)
@settings(max_examples=200, deadline=None)
def test_only_labels_measurements_and_limits_stand_without_a_finding(structure):
    label = set(AI_LABEL.values())
    for text in compose(structure):
        for each in section(text, Section.IMPRESSION) + section(text, Section.FINDINGS):
            if not each.findings and each.text not in label:
                assert re.search(r"注意|Caution|未评估|Not assessed|\d", each.text)


@given(structures)
@settings(max_examples=200, deadline=None)
def test_what_is_there_comes_before_what_is_not_and_that_before_what_nobody_saw(structure):
    order = {each: rank for rank, each in enumerate(Presence)}
    for text in compose(structure):
        ranks = [
            order[structure.findings[index].presence]
            for each in section(text, Section.FINDINGS)
            for index in each.findings
        ]
        assert ranks == sorted(ranks)


@given(structures)
@settings(max_examples=100, deadline=None)
def test_the_label_opens_document_and_impression_and_closes_both(structure):
    for text in compose(structure):
        assert text.sections[0].sentences[0].text == AI_LABEL[text.language]
        last = text.sections[-1]
        assert last.section is Section.IMPRESSION
        assert last.sentences[0].text == last.sentences[-1].text == AI_LABEL[text.language]


def structure(*stated: Finding, **more) -> FindingStructure:
    return FindingStructure("CT", "CHEST", PACK, stated, **more)


def present(name: str, certainty: Certainty | None = None, **more) -> Finding:
    return Finding(name, Presence.PRESENT, Source.CLASSIFIER, certainty, **more)


def absent(name: str, **more) -> Finding:
    return Finding(name, Presence.ABSENT, Source.CLASSIFIER, **more)


def said(study: FindingStructure, name: Section, language: Language) -> list[str]:
    (text,) = compose(study, (language,))
    return [each.text for each in section(text, name)]


@pytest.mark.parametrize(
    ("finding", "zh", "en"),
    [
        (
            present("pleural-effusion", Certainty.PROBABLE, side=Side.RIGHT),
            "右侧考虑胸腔积液。",
            "Probable right pleural effusion.",
        ),
        (
            present(
                "lung-nodule-mass",
                Certainty.CONSISTENT_WITH,
                side=Side.LEFT,
                site="lower-lobe",
                size_mm=34.26,
            ),
            "左肺下叶影像表现符合肺结节或肿块，大小 34.3 mm。",
            (
                "Appearances are consistent with lung nodule or mass in the left lower lobe, "
                "size 34.3 mm."
            ),
        ),
        (
            present("emphysema", Certainty.NOT_EXCLUDED, side=Side.BILATERAL),
            "双侧肺气肿不除外。",
            "Bilateral emphysema is not excluded.",
        ),
        (
            present("ground-glass-opacity", Certainty.POSSIBLE, side=Side.RIGHT),
            "右肺可能存在磨玻璃影。",
            "Possible right ground-glass opacity.",
        ),
        (present("cardiomegaly"), "可见心影增大。", "Cardiomegaly."),
        (absent("pneumothorax", side=Side.LEFT), "左侧未见气胸。", "No pneumothorax on the left."),
        (
            absent("pneumothorax", side=Side.BILATERAL),
            "双侧未见气胸。",
            "No pneumothorax on either side.",
        ),
        (absent("cardiomegaly"), "心影未见增大。", "The heart is not enlarged."),
    ],
)
def test_a_finding_reads_as_a_radiologist_writes_it(finding, zh, en):
    assert said(structure(finding), Section.FINDINGS, Language.ZH) == [zh]
    assert said(structure(finding), Section.FINDINGS, Language.EN) == [en]


def test_negatives_of_one_region_share_a_sentence_and_regions_do_not():
    study = structure(absent("pleural-effusion"), absent("atelectasis"), absent("pneumothorax"))
    assert said(study, Section.FINDINGS, Language.ZH) == ["未见胸腔积液、气胸。", "未见肺不张。"]
    assert said(study, Section.FINDINGS, Language.EN) == [
        "No pleural effusion or pneumothorax.",
        "No atelectasis.",
    ]


def test_the_impression_is_numbered_with_the_critical_finding_first():
    study = structure(
        present("atelectasis"), present("pneumothorax", Certainty.POSSIBLE, side=Side.RIGHT)
    )
    assert said(study, Section.IMPRESSION, Language.ZH) == [
        AI_LABEL[Language.ZH],
        "1. 右侧可能存在气胸。",
        "2. 可见肺不张。",
        AI_LABEL[Language.ZH],
    ]


def test_a_refusal_is_one_sentence_of_not_assessed_with_its_reason():
    study = FindingStructure("MG", "BREAST", refusal="unsupported-modality", details="MG")
    assert said(study, Section.FINDINGS, Language.ZH) == ["未评估：检查类型不在支持范围内（MG）。"]
    assert said(study, Section.FINDINGS, Language.EN) == [
        "Not assessed: the modality is not supported (MG)."
    ]


def test_a_refusal_that_assesses_something_is_a_fault_of_the_pack():
    with pytest.raises(PackError, match="refused"):
        compose(structure(absent("pneumothorax"), refusal="paediatric"))


def test_missing_images_are_counted_in_technique_and_impression():
    study = structure(absent("pneumothorax"), missing=17, cautions=("incomplete-study",))
    for name in (Section.TECHNIQUE, Section.IMPRESSION):
        zh, en = said(study, name, Language.ZH), said(study, name, Language.EN)
        assert sum("缺少 17 幅" in each for each in zh) == 1
        assert sum("17 missing" in each for each in en) == 1


def test_an_unknown_word_of_a_pack_is_an_error():
    with pytest.raises(UnknownTermError):
        compose(structure(present("ghost")))


def test_nothing_is_compared_with_an_earlier_study():
    study = structure(*(present(name, Certainty.PROBABLE) for name in findings.entries()))
    for text in compose(study):
        everything = " ".join(each.text for part in text.sections for each in part.sentences)
        assert not re.search(
            r"较前|新发|增多|减少|吸收|new\b|interval|increased|decreased|unchanged|stable",
            everything,
        )
