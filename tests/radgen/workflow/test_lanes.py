"""The lanes with real DBOS on a real SQLite file; the steps are a ten-line recorder."""

import threading
import time

import pytest

from radgen.domain.errors import PeerUnreachableError, UnsupportedStudyError
from radgen.workflow.flow import describe
from radgen.workflow.lanes import Lanes
from radgen.workflow.settings import WorkflowSettings

FAST = WorkflowSettings(poll_s=0.05, peer_pause_s=0.01, peer_attempts=3)


class Recorder:
    def __init__(self, faults=None, delay_s=0.0):
        self.calls, self.faults, self.delay_s = [], dict(faults or {}), delay_s
        self.running, self.peak, self.lock = {}, {}, threading.Lock()

    def _note(self, name, study_uid, version):
        with self.lock:
            lane = study_uid.split("-")[0]
            self.running[lane] = self.running.get(lane, 0) + 1
            self.peak[lane] = max(self.peak.get(lane, 0), self.running[lane])
            self.calls.append((name, study_uid, version))
        time.sleep(self.delay_s)
        with self.lock:
            self.running[lane] -= 1
        faults = self.faults.get(name)
        if faults:
            raise faults.pop(0)

    def draft(self, study_uid, version):
        self._note("draft", study_uid, version)

    def give_back(self, study_uid, version):
        self._note("give_back", study_uid, version)

    def confirm(self, study_uid, version):
        self._note("confirm", study_uid, version)

    def give_up(self, study_uid, version, reason):
        self.calls.append(("give_up", study_uid, version, reason))


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/workflow.sqlite"


def names(steps):
    return [call[0] for call in steps.calls]


def test_a_version_is_drafted_once_however_often_it_is_submitted(url):
    steps = Recorder()
    with Lanes(url, steps, FAST) as lanes:
        for _ in range(3):
            lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        assert wait_for(lambda: names(steps) == ["draft"])
        time.sleep(0.5)
    assert names(steps) == ["draft"]


def test_returning_sends_then_confirms(url):
    steps = Recorder()
    with Lanes(url, steps, FAST) as lanes:
        lanes.submit_return("CT-1", 1, 1, stat=False)
        assert wait_for(lambda: names(steps) == ["give_back", "confirm"])


def test_a_peer_that_fails_is_tried_again(url):
    steps = Recorder({"give_back": [PeerUnreachableError("away"), PeerUnreachableError("away")]})
    with Lanes(url, steps, FAST) as lanes:
        lanes.submit_return("CT-1", 1, 1, stat=False)
        assert wait_for(lambda: "confirm" in names(steps))
    assert names(steps) == ["give_back", "give_back", "give_back", "confirm"]


def test_a_peer_that_keeps_failing_ends_in_a_dead_letter_with_its_last_words(url):
    steps = Recorder({"give_back": [PeerUnreachableError(f"away {n}") for n in range(9)]})
    with Lanes(url, steps, FAST) as lanes:
        lanes.submit_return("CT-1", 1, 1, stat=False)
        assert wait_for(lambda: "give_up" in names(steps))
    assert names(steps).count("give_back") == FAST.peer_attempts
    assert "PeerUnreachableError: away" in steps.calls[-1][3]
    assert "confirm" not in names(steps)


def test_a_study_that_cannot_be_drafted_is_given_up_at_once(url):
    steps = Recorder({"draft": [UnsupportedStudyError("no pack")]})
    with Lanes(url, steps, FAST) as lanes:
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        assert wait_for(lambda: "give_up" in names(steps))
    assert steps.calls[-1] == ("give_up", "CT-1", 1, "UnsupportedStudyError: no pack")
    assert names(steps).count("draft") == 1


def test_an_unexpected_error_is_given_up_without_its_text(url):
    steps = Recorder({"draft": [KeyError("Zhang^San")]})
    with Lanes(url, steps, FAST) as lanes:
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        assert wait_for(lambda: "give_up" in names(steps))
    assert "KeyError" in steps.calls[-1][3]
    assert "Zhang" not in steps.calls[-1][3]
    assert describe(KeyError("Zhang")) == "unexpected KeyError"


def test_limits_by_modality_hold_and_stat_overtakes(url):
    steps = Recorder(delay_s=0.2)
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


def test_work_that_was_cut_off_goes_on_at_the_next_start(url):
    blocked = Recorder(delay_s=8.0)
    with Lanes(url, blocked, FAST) as lanes:
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        assert wait_for(lambda: names(blocked) == ["draft"])
    again = Recorder()
    with Lanes(url, again, FAST):
        assert wait_for(lambda: names(again) == ["draft"])
