"""The lanes with real DBOS on a real SQLite file; the steps are a recorder."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from radgen.domain.errors import PeerUnreachableError, StoreError, UnsupportedStudyError
from radgen.workflow.flow import describe
from radgen.workflow.lanes import Lanes, draft_id
from radgen.workflow.settings import WorkflowSettings


def test_a_version_is_drafted_once_however_often_it_is_submitted(url, recorder, fast, wait_for):
    steps = recorder()
    with Lanes(url, steps, fast) as lanes:
        for _ in range(3):
            lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        assert wait_for(lambda: steps.names == ["draft"])
        time.sleep(0.3)
    assert steps.names == ["draft"]


def test_an_order_that_became_urgent_is_not_drafted_twice(url, recorder, fast, wait_for):
    steps = recorder()
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=True)
        assert wait_for(lambda: steps.names == ["draft"])
        time.sleep(0.3)
    assert steps.names == ["draft"]


def test_another_attempt_is_other_work(url, recorder, fast, wait_for):
    steps = recorder()
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        lanes.submit_draft("CT-1", 1, 1, "CT", stat=False)
        assert wait_for(lambda: steps.names == ["draft", "draft"])


def test_returning_sends_then_confirms(url, recorder, fast, wait_for):
    steps = recorder()
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_return("CT-1", 1, 1, stat=False)
        assert wait_for(lambda: steps.names == ["give_back", "confirm"])


def test_a_peer_that_fails_is_tried_again(url, recorder, fast, wait_for):
    steps = recorder({"give_back": [PeerUnreachableError("away"), PeerUnreachableError("away")]})
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_return("CT-1", 1, 1, stat=False)
        assert wait_for(lambda: "confirm" in steps.names)
    assert steps.names == ["give_back", "give_back", "give_back", "confirm"]


def test_a_peer_that_keeps_failing_ends_in_a_dead_letter_with_its_last_words(
    url, recorder, fast, wait_for
):
    steps = recorder({"give_back": [PeerUnreachableError(f"away {n}") for n in range(9)]})
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_return("CT-1", 1, 1, stat=False)
        assert wait_for(lambda: "give_up" in steps.names)
    assert steps.names.count("give_back") == fast.peer_attempts
    assert steps.calls[-1][3] == "PeerUnreachableError: away 2 (after 3 attempts)"
    assert "confirm" not in steps.names


def test_a_study_that_cannot_be_drafted_is_given_up_at_once(url, recorder, fast, wait_for):
    steps = recorder({"draft": [UnsupportedStudyError("no pack")]})
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        assert wait_for(lambda: "give_up" in steps.names)
    assert steps.calls[-1] == ("give_up", "CT-1", 1, "UnsupportedStudyError: no pack")
    assert steps.names.count("draft") == 1


def test_an_unexpected_error_is_given_up_without_its_text(url, recorder, fast, wait_for):
    steps = recorder({"draft": [KeyError("Zhang^San")]})
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        assert wait_for(lambda: "give_up" in steps.names)
    assert steps.calls[-1][3] == "unexpected KeyError"
    assert describe(KeyError("Zhang")) == "unexpected KeyError"


def test_no_log_line_holds_the_text_of_an_error(url):
    """In a process of its own: the library writes to its own stream unless it is told not to."""
    node = Path(__file__).with_name("failing_node.py")
    run = subprocess.run([sys.executable, node, url], capture_output=True, text=True, check=True)
    assert "Zhang" not in run.stderr + run.stdout
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    kinds = {(line["from"], line.get("error")) for line in lines}
    assert ("dbos", "KeyError") in kinds
    assert ("dbos", "PeerUnreachableError") in kinds
    assert ("radgen.workflow.flow", "ValueError") in kinds


def test_limits_by_modality_hold_and_stat_overtakes(url, recorder, wait_for):
    steps = recorder(delay_s=0.1)
    settings = WorkflowSettings(poll_s=0.05, limits={"CT": 1, "DX": 2})
    with Lanes(url, steps, settings) as lanes:
        for number in range(4):
            lanes.submit_draft(f"CT-{number}", 1, 0, "CT", stat=False)
            lanes.submit_draft(f"DX-{number}", 1, 0, "DX", stat=False)
        lanes.submit_draft("STAT-1", 1, 0, "CT", stat=True)
        assert wait_for(lambda: len(steps.calls) == 9)
    assert steps.peak["CT"] == 1
    assert steps.peak["DX"] == 2
    assert [call[1] for call in steps.calls].index("STAT-1") < 7


def test_a_modality_without_a_lane_of_its_own_is_drafted_too(url, recorder, fast, wait_for):
    steps = recorder()
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_draft("US-1", 1, 0, "US", stat=False)
        assert wait_for(lambda: steps.names == ["draft"])


def test_a_stop_lets_a_running_step_come_to_its_end(url, recorder, fast, wait_for):
    steps = recorder(delay_s=0.5)
    with Lanes(url, steps, fast) as lanes:
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        assert wait_for(lambda: steps.names == ["draft"])
    assert steps.running["CT"] == 0
    again = recorder()
    with Lanes(url, again, fast) as lanes:
        assert lanes.ended([draft_id("CT-1", 1, 0)]) == {draft_id("CT-1", 1, 0): "SUCCESS"}
    assert again.names == []


def test_a_stop_without_work_is_at_once(url, recorder, fast):
    with Lanes(url, recorder(), fast):
        begin = time.monotonic()
    assert time.monotonic() - begin < 0.9


def test_work_that_was_cut_off_goes_on_at_the_next_start(
    url, tmp_path, recorder, fast, wait_for, killed_node
):
    killed_node("sqlite:///x", url, str(tmp_path), fast.node)
    again = recorder()
    with Lanes(url, again, fast):
        assert wait_for(lambda: again.calls == [("draft", "CT-1", 1)])


def test_only_the_work_that_is_over_has_ended(url, recorder, fast, wait_for):
    steps, go = recorder(), threading.Event()
    steps.confirm = lambda *_: go.wait(10)
    done, open_ = draft_id("CT-1", 1, 0), "return:CT-1:1:1"
    with Lanes(url, steps, fast) as lanes:
        assert lanes.ended([]) == {}
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        lanes.submit_return("CT-1", 1, 1, stat=False)
        assert wait_for(lambda: lanes.ended([done, open_, "unknown"]) == {done: "SUCCESS"})
        assert lanes.nodes_with_work() == {fast.node}
        go.set()


def test_a_database_that_refuses_is_an_error_of_ours(url, tmp_path, recorder, fast):
    with Lanes(url, recorder(), fast) as lanes:
        (tmp_path / "workflow.sqlite").unlink()
        (tmp_path / "workflow.sqlite").mkdir()
        # Connections of the pool still hold the old file; new ones cannot be opened.
        _forget_connections()
        with pytest.raises(StoreError, match="workflows: "):
            lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        with pytest.raises(StoreError):
            lanes.ended(["x"])


def _forget_connections():
    from dbos._dbos import _get_dbos_instance

    _get_dbos_instance()._sys_db.engine.dispose()
