"""The figures that are told of the extractor come from this measurement."""

import json

import pytest

from benchmarks.quality_extract import main, measure

pytestmark = pytest.mark.shared_data


@pytest.fixture
def reports(shared_data):
    return shared_data / "iu_xray_text"


def test_reports_read_as_their_structured_twins_say(reports):
    scores, errors = measure(reports, "development")["Rad-ReStruct"]
    assert scores[-1].finding == "micro average"
    assert scores[-1].f1 >= 0.85
    assert len(errors) == scores[-1].fp + scores[-1].fn


def test_the_figures_are_written_with_every_error(reports, tmp_path, capsys):
    path = tmp_path / "figures.json"
    main(["--data", str(reports), "--json", str(path)])
    written = json.loads(path.read_text("utf-8"))
    assert written["split"] == "development"
    assert {"uid", "finding", "kind"} == set(written["Rad-ReStruct"]["errors"][0])
    assert "micro average" in capsys.readouterr().out


def test_no_report_is_in_both_splits(reports):
    one, other = (measure(reports, each) for each in ("development", "held-out"))
    uids = [{error.uid for error in side["Rad-ReStruct"][1]} for side in (one, other)]
    assert uids[0]
    assert uids[1]
    assert not uids[0] & uids[1]
