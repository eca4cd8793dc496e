"""What people see, and what nobody may make them see."""

import io
import json
import re
from datetime import timedelta
from html import unescape

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Priority, StudyFacts
from radgen.review.app import create_app
from radgen.review.settings import ReviewSettings

STUDY, SOP = "1.2.3", "1.2.3.1.1"
pytestmark = pytest.mark.usefixtures("ledger")


@pytest.mark.usefixtures("drafted")
def test_the_list_says_where_a_study_stands_and_what_was_found(page):
    text = page.get("/?lang=zh").text
    for word in ("张 三", "P77", "已归档", "静默 60 秒", "右侧胸腔积液 87%", "共 8.0 s"):
        assert word in text


@pytest.mark.usefixtures("drafted")
def test_the_list_speaks_english_when_asked_and_remembers(page):
    assert "Zhang San" in page.get("/?lang=en").text
    text = page.get("/").text
    for word in ("Zhang San", "Archived", "right pleural effusion 87%", "quiet for 60 s"):
        assert word in text


@pytest.mark.usefixtures("drafted")
@pytest.mark.parametrize("path", ["/", f"/studies/{STUDY}"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_marked_as_generated_and_not_reviewed(page, path, language):
    text = page.get(path, params={"lang": language}).text
    assert "AI 草稿 未经医师审核" in text
    assert "AI DRAFT - NOT REVIEWED" in text
    label = json.loads(unescape(re.search(r'name="AIGC" content="(.*?)"', text).group(1)))
    assert label["AIGC"]["Label"] == "1"


def test_waiting_studies_say_for_how_long(page, take, clock):
    take("1.9")
    clock.now += timedelta(seconds=42)
    assert "waiting 42 s" in page.get("/?lang=en").text


def test_stat_stands_first(page, take):
    take("1.8", facts=StudyFacts("Urgent", priority=Priority.STAT))
    take("1.9", facts=StudyFacts("Routine"))
    text = page.get("/?lang=en").text
    assert text.index("Urgent") < text.index("Routine")
    assert ">STAT<" in text


def test_filters_and_counts(page, take, ledger):
    take("1.8", modality="CT", facts=StudyFacts("Tomo"))
    take("1.9", facts=StudyFacts("Plain"))
    ledger.complete("1.9", 1, "quiet", 0)
    ledger.move("1.9", 1, [VersionState.COMPLETE], VersionState.FAILED, failure="cut off")
    ct = page.get("/?modality=CT").text
    assert "Tomo" in ct
    assert "Plain" not in ct
    failed = page.get("/?state=failed").text
    assert "cut off" in failed
    assert "Tomo" not in failed
    assert page.get("/api/counts").json()["failed"] == 1


def test_a_long_list_has_a_next_page(page, take, clock):
    for number in range(51):
        take(f"1.9.{number}", received_at=clock.now + timedelta(seconds=number))
    first = page.get("/?modality=DX").text
    link = unescape(re.search(r'rel="next" href="(.*?)"', first).group(1))
    second = page.get(link).text
    assert re.findall(r'id="s([\d-]+)"', second) == ["1-9-0"]
    assert 'rel="next"' not in second


@pytest.mark.parametrize(
    "query",
    ["state=nonsense", "after=x", "after=-99999999999999999_1.2", f"modality={'x' * 65}"],
)
def test_a_query_that_makes_no_sense_is_refused(page, query):
    assert page.get(f"/?{query}").status_code == 422


def test_hostile_words_are_escaped_and_cannot_turn_the_line(page, take):
    name = "<script>alert(1)</script>\u202egnp.exe"
    take("1.9", facts=StudyFacts(name, "\u2066<b>", body_part='"><img src=x>'))
    for path in ("/", "/studies/1.9"):
        text = page.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "&lt;script&gt;" in text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", text)


@pytest.mark.usefixtures("drafted")
def test_a_study_shows_both_texts_with_confidence_source_and_region(page):
    text = page.get(f"/studies/{STUDY}?lang=en").text
    for word in ("右侧考虑胸腔积液", "Probable right pleural effusion", "<b>87%</b>", "classifier"):
        assert word in text
    assert '<rect x="10.0" y="60.0" width="30.0" height="50.0"' in text
    assert 'viewBox="0 0 100 120"' in text
    gaps = text[text.rindex('class="gaps"') :]
    assert "consolidation" in gaps[: gaps.index("</div>")]


@pytest.mark.usefixtures("drafted")
def test_what_was_not_assessed_stands_apart_without_a_confidence(page):
    text = page.get(f"/studies/{STUDY}?lang=en").text
    gap = re.search(r'<li class="sentence not-assessed".*?</li>', text, re.DOTALL).group(0)
    assert "%" not in gap
    assert "<i>" not in gap


@pytest.mark.usefixtures("drafted")
def test_a_study_shows_its_timeline_and_what_was_left_out(page):
    text = page.get(f"/studies/{STUDY}?lang=en").text
    assert "the image is a lateral view" in text
    assert "1.2.3.9" in text
    timeline = text[text.index('class="timeline"') :]
    places = [timeline.index(word) for word in ("received", "Complete", "Drafted", "Archived")]
    assert places == sorted(places)


@pytest.mark.usefixtures("drafted")
def test_the_chosen_finding_lights_its_region(page):
    assert 'class="region chosen"' in page.get(f"/studies/{STUDY}?finding=0").text
    assert 'class="region chosen"' not in page.get(f"/studies/{STUDY}").text
    assert page.get(f"/studies/{STUDY}?finding=99").status_code == 200


def test_a_study_without_a_draft_says_so(page, take):
    take("1.9")
    text = page.get("/studies/1.9?lang=en").text
    assert "There is no draft yet." in text
    assert "There is no image to show." in text


@pytest.mark.usefixtures("drafted")
def test_a_picture_is_drawn_anew_as_png(page):
    response = page.get(f"/studies/{STUDY}/images/{SOP}.png")
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    picture = np.asarray(Image.open(io.BytesIO(response.content)).convert("L"))
    middle = picture[picture.shape[0] // 4]
    assert middle[-60] > middle[60] + 100  # the ramp of the stored pixels


@pytest.mark.usefixtures("drafted")
@pytest.mark.parametrize(
    "path",
    [
        "/studies/9.9",
        f"/studies/{STUDY}/images/9.9.png",
        f"/studies/9.9/images/{SOP}.png",
        f"/studies/{STUDY}/images/..%2f..%2fledger.sqlite.png",
        "/static/../app.py",
        "/docs",
        "/openapi.json",
    ],
)
def test_what_the_ledger_does_not_know_is_not_there(page, path):
    assert page.get(path).status_code == 404


def test_a_path_out_of_the_store_is_never_read(page, take, store):
    outside = store.parent / "outside.dcm"
    outside.write_bytes((store / f"{SOP}.dcm").read_bytes())
    take("1.9", path="../outside.dcm")
    assert page.get("/studies/1.9/images/1.9.1.png").status_code == 404


def test_a_file_that_is_no_image_is_not_served(page, take, store):
    (store / "1.9.1.dcm").write_bytes(b"<html><script>alert(1)</script>")
    take("1.9")
    assert page.get("/studies/1.9/images/1.9.1.png").status_code == 404


def test_an_object_that_is_not_an_image_has_no_picture(page, take):
    take("1.9", path=f"{SOP}.dcm", is_image=False)
    assert page.get("/studies/1.9/images/1.9.1.png").status_code == 404


@pytest.mark.usefixtures("drafted")
@pytest.mark.parametrize("path", ["/", f"/studies/{STUDY}", "/static/page.css", "/api/studies"])
def test_nothing_foreign_may_run_and_nothing_is_kept(page, path):
    headers = page.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.usefixtures("drafted")
@pytest.mark.parametrize("path", ["/", f"/studies/{STUDY}"])
def test_a_page_holds_no_inline_script_and_no_foreign_address(page, path):
    text = page.get(path).text
    assert re.findall(r"<script(?![^>]*src=)", text) == []
    assert re.findall(r"\son\w+=|\sstyle=|javascript:", text) == []
    assert re.findall(r'(?:src|href)="(?:\w+:)?//', text) == []


@pytest.mark.usefixtures("drafted")
def test_the_page_only_reads(page):
    for method in ("post", "put", "patch", "delete"):
        assert getattr(page, method)("/").status_code == 405
        assert getattr(page, method)(f"/studies/{STUDY}").status_code == 405


@pytest.mark.usefixtures("drafted")
def test_machines_get_states_without_identity(page):
    response = page.get("/api/studies?limit=1")
    (study,) = response.json()["studies"]
    assert (study["study_uid"], study["state"]) == (STUDY, "confirmed")
    assert study["current"]["complete_reason"].startswith("quiet")
    for secret in ("P77", "Zhang", "张", "1964", "ACC-1"):
        assert secret not in response.text
    assert page.get("/api/studies", params={"after": response.json()["next"]}).json() == {
        "studies": [],
        "next": None,
    }


def test_a_foreign_name_for_this_machine_is_refused(ledger, store):
    app = create_app(ReviewSettings(), ledger, store)
    with TestClient(app, base_url="http://evil.example") as client:
        assert client.get("/").status_code == 400


def test_health_follows_the_database(page, tmp_path, store):
    assert page.get("/healthz").json() == {"status": "ok"}
    bare = Ledger(f"sqlite:///{tmp_path / 'bare.sqlite'}")
    app = create_app(ReviewSettings(language="en"), bare, store)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/healthz").status_code == 503
        response = client.get("/")
    bare.close()
    assert response.status_code == 503
    assert response.text == "The database is not available; please try again later."


def test_listening_beyond_loopback_is_warned_about(ledger, store, caplog):
    create_app(ReviewSettings(), ledger, store)
    assert caplog.records == []
    create_app(ReviewSettings(bind="0.0.0.0"), ledger, store)  # noqa: S104  # what is tested
    assert "no accounts" in caplog.text


@pytest.mark.parametrize(
    ("orientation", "status"),
    [([1, 0, 0, 0, 1, 0], 200), ([1, 0, 0, 0, 0.94, -0.34], 200), ([-1, 0, 0, 0, 1, 0], 404)],
    ids=["as shown", "tilted gantry", "patient's right on the right"],
)
def test_a_picture_whose_sides_would_lie_is_not_shown(
    page, take, store, write_image, orientation, status
):
    write_image(store / "1.9.1.dcm", orientation=orientation)
    take("1.9")
    assert page.get("/studies/1.9/images/1.9.1.png").status_code == status


def test_every_version_of_a_study_can_be_looked_at(page, drafted, take):
    take(STUDY)  # a late image: version 2 receives and has no draft yet
    assert drafted.version(STUDY, 2).state is VersionState.RECEIVING
    newest_draft = page.get(f"/studies/{STUDY}?lang=en").text
    assert "Probable right pleural effusion" in newest_draft
    assert 'href="?version=2"' in newest_draft
    assert "There is no draft yet." in page.get(f"/studies/{STUDY}?version=2&lang=en").text
