"""The page says the same in both languages, and nothing that cannot be seen."""

import hashlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from markupsafe import Markup

from radgen.completeness import Arriving, Complete, CompletenessPolicy, decide
from radgen.domain.finding import Measurement, Side, Source
from radgen.domain.study import VersionState
from radgen.review.words import (
    complete_text,
    finding_name,
    measured_text,
    person_name,
    reason_text,
    visible,
    words,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_both_languages_have_the_same_words():
    assert set(words("zh")) == set(words("en"))
    assert all(words("zh").values())
    assert all(words("en").values())


def test_every_word_of_the_domain_has_a_name():
    names = {f"state_{each.value}" for each in VersionState}
    names |= {f"source_{each.value}" for each in Source}
    names |= {f"side_{each.value}" for each in Side}
    assert names <= set(words("en"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\u202eb\u2066c\u200fd\x00e\x7f", "abcde"),
        ("a\nb\tc", "a b c"),
        ("\ud800张三", "张三"),
        ("𠮷\ue000", "𠮷\ue000"),
        (7, 7),
    ],
)
def test_only_what_can_be_seen_is_shown(value, shown):
    assert visible(value) == shown


def test_markup_of_our_own_stays():
    assert visible(Markup("<b>\u202e</b>")) == Markup("<b>\u202e</b>")


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        ("Zhang^San=张^三", "张 三", "Zhang San"),
        ("Smith^John", "Smith John", "Smith John"),
        ("=张^三", "张 三", "张 三"),
        ("", "", ""),
    ],
)
def test_a_name_is_shown_in_the_script_of_the_page(value, zh, en):
    assert person_name(value, "zh") == zh
    assert person_name(value, "en") == en


@pytest.mark.parametrize("received", [3, 10])
@pytest.mark.parametrize("expected", [None, 10])
@pytest.mark.parametrize("released", [None, NOON])
@pytest.mark.parametrize("hours", [0.5, 30])
def test_every_reason_to_be_complete_is_said_in_chinese(received, expected, released, hours):
    study = Arriving(
        modality="CT",
        received=received,
        first_at=NOON,
        last_at=NOON,
        released_at=released,
        expected=expected,
    )
    decision = decide(study, NOON + timedelta(hours=hours), CompletenessPolicy())
    if isinstance(decision, Complete):
        shown = complete_text(decision.reason, "zh")
        assert not any("a" <= letter <= "z" for letter in shown)
        assert complete_text(decision.reason, "en") == decision.reason


def test_the_vendored_script_is_the_published_one():
    content = files("radgen.review").joinpath("static/htmx.min.js").read_bytes()
    published = content.partition(b"*/\n")[2]
    digest = hashlib.sha256(published).hexdigest()
    assert digest == "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"


def test_the_page_needs_no_inference_library():
    code = (
        "import sys, radgen.review.app, radgen.review.report_html;"
        "print([n for n in ('torch', 'monai', 'tritonclient') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_knowledge_is_spoken_in_the_language_of_the_page():
    volume = Measurement("lung-volume-total", 4123.4, "ml", "lung mask")
    assert measured_text(volume, "zh") == "全肺容积 4123 ml"
    assert measured_text(volume, "en") == "total lung volume 4123 ml"
    assert finding_name("pneumothorax", "zh") == "气胸"
    assert reason_text("no-model", "en") == "no model is available for it"


def test_a_word_that_knowledge_lacks_is_shown_as_it_is():
    unknown = Measurement("tomorrow", 1.5, "furlong", "guess")
    assert measured_text(unknown, "zh") == "tomorrow 1.5 furlong"
    assert finding_name("tomorrow", "en") == "tomorrow"
    assert reason_text("tomorrow", "zh") == "tomorrow"
