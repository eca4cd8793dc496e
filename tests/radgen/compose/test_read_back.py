"""What the composer writes, the extractor reads: the very same findings, in both languages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radgen.compose.compose import compose
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
from radgen.domain.report import Language, ReportText
from radgen.extract.extract import extract
from radgen.extract.merge import to_findings
from radgen.knowledge import findings, quantities, reasons
from radgen.knowledge.labels import HEADING

PACK = PackIdentity("chest", "1.0.0", "a" * 64)


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
def one_finding(draw: st.DrawFn, name: st.SearchStrategy[str]) -> Finding:
    presence = draw(st.sampled_from(Presence))
    is_gap = presence is Presence.NOT_ASSESSED
    return Finding(
        draw(name),
        presence,
        Source.CLASSIFIER,
        draw(st.none() | st.sampled_from(Certainty)) if presence is Presence.PRESENT else None,
        draw(st.none() | st.sampled_from(Side)),
        draw(st.none() | st.sampled_from(sorted(findings.sites()))),
        None if is_gap else draw(st.none() | st.floats(0.1, 300)),
        measurements=() if is_gap else tuple(draw(st.lists(measurements(), max_size=2))),
        reason=draw(st.none() | st.sampled_from(sorted(reasons.entries()))) if is_gap else None,
    )


names = st.sampled_from(sorted(findings.entries()))
any_findings = st.lists(one_finding(names), max_size=8).map(tuple)
one_of_each = st.lists(one_finding(names), max_size=8, unique_by=lambda each: each.finding)


def structures(
    stated: st.SearchStrategy[tuple[Finding, ...]],
) -> st.SearchStrategy[FindingStructure]:
    return st.builds(
        FindingStructure,
        modality=st.sampled_from(["CR", "DX", "CT", "ZZ"]),
        body_part=st.sampled_from(["CHEST", "", "TAIL"]),
        pack=st.just(PACK),
        findings=stated,
        measurements=st.lists(measurements(), max_size=3).map(tuple),
        cautions=st.lists(st.sampled_from(sorted(reasons.entries())), max_size=2).map(tuple),
        missing=st.none() | st.integers(0, 300),
    )


def printed_size(finding: Finding) -> float | None:
    """The size that the text holds: the finding's own, else the largest diameter measured."""
    if finding.size_mm is not None:
        return float(quantities.number(finding.size_mm, 1)) or None
    diameters = [
        float(quantities.number(each.value, 1))
        for each in finding.measurements
        if each.quantity == "lesion-diameter"
    ]
    return max((each for each in diameters if each > 0), default=None)


def as_told(finding: Finding) -> tuple[object, ...]:
    return (finding.finding, finding.presence, finding.certainty, finding.side)


def page(text: ReportText) -> str:
    return "\n".join(
        f"{HEADING[text.language][part.section]}\n"
        + "\n".join(sentence.text for sentence in part.sentences)
        for part in text.sections
    )


@pytest.mark.parametrize("language", Language)
@given(structure=structures(any_findings))
@settings(max_examples=150, deadline=None)
def test_composed_text_reads_back_to_the_very_findings_it_came_from(language, structure):
    (text,) = compose(structure, (language,))
    told = {(*as_told(each), printed_size(each)) for each in structure.findings}
    read = {(*as_told(each), each.size_mm) for each in extract(page(text))}
    assert read == told


@pytest.mark.parametrize("language", Language)
@given(structure=structures(one_of_each.map(tuple)))
@settings(max_examples=100, deadline=None)
def test_a_finding_concluded_again_in_the_impression_is_one_finding(language, structure):
    (text,) = compose(structure, (language,))
    read = {each.finding: each for each in to_findings(extract(page(text)))}
    assert len(to_findings(extract(page(text)))) == len(structure.findings)
    for finding in structure.findings:
        assert as_told(read[finding.finding]) == as_told(finding)
        assert read[finding.finding].size_mm == printed_size(finding)


def test_both_languages_read_back_to_the_same_findings():
    structure = FindingStructure(
        "DX",
        "CHEST",
        PACK,
        (
            Finding(
                "lung-nodule-mass",
                Presence.PRESENT,
                Source.CLASSIFIER,
                Certainty.PROBABLE,
                Side.LEFT,
                "lower-lobe",
                34.0,
            ),
            Finding("pneumothorax", Presence.ABSENT, Source.CLASSIFIER),
        ),
    )
    zh, en = (to_findings(extract(page(text))) for text in compose(structure))
    assert zh == en
    assert zh[0].site == "lower-lobe"
