"""What a report says, with where it says it; and texts that nobody would call a report."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radgen.domain.errors import ReportTextError
from radgen.domain.finding import Certainty, Presence, Side, Source
from radgen.domain.report import Language
from radgen.extract.extract import MAX_CHARACTERS, extract, sections
from radgen.extract.merge import to_findings
from radgen.extract.statement import Change, Heading
from radgen.knowledge import phrases

RSNA = """CLINICAL HISTORY: Fall, rule out pneumothorax.
COMPARISON: Radiograph with a left effusion.
FINDINGS:
There is a 12 mm nodule in the right upper lobe, unchanged. The heart is not
enlarged. No pleural effusion or pneumothorax.
IMPRESSION:
1. Right upper lobe nodule, 12 mm.
2. Consistent with emphysema.
"""
WST = """检查方法：胸部CT平扫，层厚5mm。
影像所见：
右肺上叶见大小约1.2×0.8cm结节，较前增大。双侧胸腔未见积液。
影像诊断：
1、右肺上叶结节；
2、考虑左侧气胸。
建议：复查除外肺不张。
"""
WORDS = [word for row in phrases.entries().values() for word in (*row.zh, *row.en)]
ENDLESS = [
    "no ",
    "未见",
    "a or ",
    "(",
    "right ",
    "1.2 x ",
    "9",
    "积液",
    "heart ",
    "effusion, ",
    "较前",
    "，",
]


def test_an_english_report_is_read_by_its_sections():
    statements = extract(RSNA)
    assert {each.section for each in statements} == {Heading.FINDINGS, Heading.IMPRESSION}
    nodule = statements[0]
    assert nodule.finding == "lung-nodule-mass"
    assert (nodule.side, nodule.site, nodule.size_mm) == (Side.RIGHT, "upper-lobe", 12)
    assert nodule.change is Change.UNCHANGED
    assert RSNA[slice(*nodule.span)] == "nodule"


def test_a_chinese_report_is_read_by_its_sections():
    nodule, effusion, again, pneumothorax = extract(WST)
    assert (nodule.side, nodule.size_mm, nodule.change) == (Side.RIGHT, 12, Change.INCREASED)
    assert (effusion.presence, effusion.side) == (Presence.ABSENT, Side.BILATERAL)
    assert again.section is Heading.IMPRESSION
    assert pneumothorax.certainty is Certainty.PROBABLE
    assert WST[slice(*pneumothorax.span)] == "气胸"


def test_what_is_said_twice_is_one_finding_and_the_impression_has_the_last_word():
    found = to_findings(extract(RSNA), Source.PRIOR)
    assert [each.finding for each in found].count("lung-nodule-mass") == 1
    assert {each.source for each in found} == {Source.PRIOR}
    text = "FINDINGS: Right effusion.\nIMPRESSION: Possible right effusion."
    (effusion,) = to_findings(extract(text))
    assert effusion.certainty is Certainty.POSSIBLE


def test_a_general_denial_does_not_undo_a_finding_on_one_side():
    (effusion,) = to_findings(extract("No large pleural effusion. Small left pleural effusion."))
    assert (effusion.presence, effusion.side) == (Presence.PRESENT, Side.LEFT)


@pytest.mark.parametrize("text", [RSNA, WST, "No heading here.", "", "Findings:"])
def test_sections_cover_the_whole_text_in_order(text):
    spans = sections(text)
    assert "".join(text[each.start : each.end] for each in spans) == text


def test_sections_have_their_headings():
    assert [each.heading for each in sections(WST)] == [
        Heading.TECHNIQUE,
        Heading.FINDINGS,
        Heading.IMPRESSION,
        Heading.RECOMMENDATION,
    ]


def test_hidden_and_turned_characters_change_nothing():
    plain = extract("No right pneumothorax.")
    hidden = extract("N\u200bo \u202eright\u202c pneumo\u00adthorax\u0000.")
    assert [(each.finding, each.presence, each.side) for each in hidden] == [
        (each.finding, each.presence, each.side) for each in plain
    ]


def test_english_alone_reads_no_chinese():
    assert extract("右侧气胸。 No effusion.", Language.EN)[0].finding == "pleural-effusion"
    assert len(extract("右侧气胸。 No effusion.", Language.ZH)) == 2


def test_a_text_without_end_is_refused():
    with pytest.raises(ReportTextError):
        extract("a" * (MAX_CHARACTERS + 1))
    with pytest.raises(ReportTextError):
        sections("a" * (MAX_CHARACTERS + 1))


@given(
    st.text() | st.lists(st.sampled_from([*WORDS, *ENDLESS, ". ", ", ", "\n", ": "])).map(" ".join)
)
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_without_an_error_and_spans_lie_inside_it(text):
    for statement in extract(text):
        start, end = statement.span
        assert 0 <= start < end <= len(text)
    assert "".join(text[each.start : each.end] for each in sections(text)) == text


@pytest.mark.parametrize("piece", [*ENDLESS, RSNA, WST])
def test_time_grows_no_faster_than_the_text(piece):
    def seconds(length):
        text = (piece * length)[:length]
        best = []
        for _ in range(3):
            start = time.process_time()
            extract(text)
            best.append(time.process_time() - start)
        return min(best)

    seconds(100)
    short, long = seconds(6_000), seconds(48_000)
    assert long < 24 * short + 0.05  # eight times the text; three times as much again for noise


def test_no_phrase_has_two_meanings():
    words = [
        word
        for row in phrases.entries().values()
        if row.kind != "heading"
        for word in {*row.zh, *row.en}
    ]
    assert sorted({word for word in words if words.count(word) > 1}) == []
