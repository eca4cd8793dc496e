"""docs/path.svg is a picture that any page may show, of the path that decision 0001 names."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "path.svg"
SVG = "{http://www.w3.org/2000/svg}"


def texts():
    root = ET.fromstring(PICTURE.read_text("utf-8"))  # noqa: S314 - our own file
    return " ".join(element.text or "" for element in root.iter(f"{SVG}text"))


def test_it_draws_nothing_from_elsewhere_and_runs_nothing():
    source = PICTURE.read_text("utf-8")
    names = {element.tag for element in ET.fromstring(source).iter()}  # noqa: S314 - our own file
    assert not names & {f"{SVG}{name}" for name in ("script", "image", "foreignObject", "use")}
    assert "href" not in source


def test_it_brings_its_own_ground_so_that_a_dark_page_does_not_swallow_it():
    first = next(ET.fromstring(PICTURE.read_text("utf-8")).iter(f"{SVG}rect"))  # noqa: S314 - ours
    assert first.get("class") == "ground"
    assert re.search(r"\.ground \{ fill: #[ef]", PICTURE.read_text("utf-8"))


def test_it_shows_every_step_and_process_of_decision_0001():
    decision = (ROOT / "docs/decisions/0001-house.md").read_text("utf-8")
    table = decision.split("## The path of one study")[1].split("## ")[0]
    steps = re.findall(r"^\| ([a-z ,]+) \|", table, re.MULTILINE)
    steps.remove("step")
    words = {word for step in steps for word in re.findall(r"[a-z]+", step)} - {"and", "in", "look"}
    assert len(words) > 8
    drawn = texts()
    assert not [word for word in words if word not in drawn]
    assert all(name in drawn for name in ("dicom-listener", "radgen worker", "radgen review"))
