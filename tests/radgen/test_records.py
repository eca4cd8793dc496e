"""A value of the domain written as text is the same value when read."""

from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radgen.domain.errors import StoreError
from radgen.domain.finding import (
    Box,
    Certainty,
    Finding,
    FindingStructure,
    ImageEvidence,
    Measurement,
    PackIdentity,
    Presence,
    Side,
    Source,
)
from radgen.domain.report import (
    DraftReport,
    Language,
    ReportText,
    Section,
    SectionText,
    Sentence,
)
from radgen.domain.study import InstanceHeader
from radgen.records import from_json, to_json

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BOXES = st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
IMAGES = st.builds(
    ImageEvidence,
    TEXTS,
    TEXTS,
    TEXTS,
    st.none() | st.integers(1, 400),
    st.none() | BOXES,
)
MEASUREMENTS = st.builds(
    Measurement, TEXTS, NUMBERS, TEXTS, TEXTS, st.none() | st.sampled_from(Side)
)
FINDINGS = st.builds(
    Finding,
    TEXTS,
    st.sampled_from(Presence),
    st.sampled_from(Source),
    st.none() | st.sampled_from(Certainty),
    st.none() | st.sampled_from(Side),
    st.none() | TEXTS,
    st.none() | NUMBERS,
    st.none() | st.floats(0, 1),
    st.lists(MEASUREMENTS, max_size=2).map(tuple),
    st.lists(IMAGES, max_size=2).map(tuple),
    st.none() | TEXTS,
)
STRUCTURES = st.builds(
    FindingStructure,
    TEXTS,
    TEXTS,
    st.none() | st.builds(PackIdentity, TEXTS, TEXTS, TEXTS),
    st.lists(FINDINGS, max_size=3).map(tuple),
    st.lists(MEASUREMENTS, max_size=2).map(tuple),
    st.none() | TEXTS,
    TEXTS,
    st.lists(TEXTS, max_size=2).map(tuple),
    st.lists(IMAGES, max_size=2).map(tuple),
    st.none() | st.integers(0, 2000),
)
SENTENCES = st.builds(Sentence, TEXTS, st.lists(st.integers(0, 9), max_size=3).map(tuple))
REPORTS = st.builds(
    DraftReport,
    TEXTS,
    st.integers(1, 99),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))])),
    STRUCTURES,
    st.lists(
        st.builds(
            ReportText,
            st.sampled_from(Language),
            st.lists(
                st.builds(
                    SectionText,
                    st.sampled_from(Section),
                    st.lists(SENTENCES, max_size=2).map(tuple),
                ),
                max_size=2,
            ).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    st.none() | TEXTS,
)


@given(REPORTS)
def test_a_report_reads_back_as_the_same_report(report):
    assert from_json(DraftReport, to_json(report)) == report


@given(REPORTS)
def test_the_same_report_always_makes_the_same_text(report):
    again = from_json(DraftReport, to_json(report))
    assert to_json(again) == to_json(report)


def test_a_path_reads_back_as_a_path():
    header = InstanceHeader(Path("a/b.dcm"), "1.2", "1.3", "1.4", "1.5", "CT")
    assert from_json(InstanceHeader, to_json(header)) == header


@pytest.mark.parametrize(
    "text",
    [
        '{"left":1,"top":2,"right":3,"bottom":4,"depth":5}',
        '{"left":1,"top":2,"right":3}',
        '{"left":"1","top":2,"right":3,"bottom":4}',
        '{"left":NaN,"top":2,"right":3,"bottom":4}',
        '{"left":1,"top":2,"right":3,"bottom":4},{"left":1,"top":2,"right":3,"bottom":4}',
        '{"left":1',
        "",
        "null",
    ],
)
def test_text_that_is_not_exactly_the_type_is_refused(text):
    with pytest.raises(StoreError):
        from_json(Box, text)


def test_a_refusal_names_the_place_and_not_the_value():
    with pytest.raises(StoreError, match="left") as caught:
        from_json(Box, '{"left":"Zhang^San","top":2,"right":3,"bottom":4}')
    assert "Zhang" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("left", [float("nan"), float("inf"), "Zhang^San"])
def test_a_value_that_would_not_read_back_is_not_written(left):
    with pytest.raises(StoreError) as caught:
        to_json(Box(left, 2.0, 3.0, 4.0))
    assert "Zhang" not in str(caught.value)
