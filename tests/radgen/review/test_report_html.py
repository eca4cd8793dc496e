"""One draft as one file."""

import base64
import dataclasses
import json
import re
from html import unescape

import pytest

from radgen.domain.finding import FindingStructure
from radgen.domain.report import Language, ReportText, Section, SectionText, Sentence
from radgen.review.report_html import report_html


@pytest.mark.parametrize("language", list(Language))
def test_the_file_holds_both_texts_and_says_that_nobody_reviewed_them(report, language):
    html = report_html(report, None, language)
    for word in ("右侧考虑胸腔积液", "Probable right pleural effusion", "87%"):
        assert word in html
    assert html.count("AI 草稿 未经医师审核") >= 3
    assert html.count("AI DRAFT - NOT REVIEWED") >= 3


def test_the_file_needs_nothing_else(report):
    html = report_html(report, b"\x89PNG picture", Language.EN)
    assert re.findall(r'(?:src|href)="(?!data:)', html) == []
    assert "<script" not in html
    assert base64.b64encode(b"\x89PNG picture").decode() in html


def test_the_label_names_the_version_and_the_digest_of_its_content(report):
    def label(value):
        html = report_html(value, None, Language.EN, "hospital-1")
        return json.loads(unescape(re.search(r'name="AIGC" content="(.*?)"', html).group(1)))

    first = label(report)["AIGC"]
    assert first["ContentProducer"] == "hospital-1"
    assert first["ProduceID"] == "1.2.3:1"
    assert len(first["ReservedCode1"]) == 64
    other = label(dataclasses.replace(report, version=2))["AIGC"]
    assert other["ReservedCode1"] != first["ReservedCode1"]


def test_a_hostile_text_stays_text(report):
    text = ReportText(
        Language.ZH,
        (SectionText(Section.FINDINGS, (Sentence("</li><script>x()</script>\u202e"),)),),
    )
    hostile = dataclasses.replace(
        report, structure=FindingStructure('"><svg onload=x()>', "CHEST"), texts=(text,)
    )
    html = report_html(hostile, None, Language.ZH)
    assert "<script" not in html
    assert "<svg" not in html
    assert "\u202e" not in html
