"""Lanes on real databases, steps that only remember, and nodes that can be killed."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from radgen.workflow.lanes import Lanes
from radgen.workflow.settings import WorkflowSettings

DEAD_NODE = Path(__file__).with_name("dead_node.py")
FAST = WorkflowSettings(poll_s=0.05, peer_pause_s=0.01, peer_attempts=3)


class Recorder:
    """Steps that remember who called them; faults: errors that a step raises, one a call."""

    def __init__(self, faults=None, delay_s=0.0):
        self.calls, self.faults, self.delay_s = [], dict(faults or {}), delay_s
        self.running, self.peak, self.lock = {}, {}, threading.Lock()

    def _note(self, name, study_uid, version, *more):
        lane = study_uid.split("-")[0]
        with self.lock:
            self.running[lane] = self.running.get(lane, 0) + 1
            self.peak[lane] = max(self.peak.get(lane, 0), self.running[lane])
            self.calls.append((name, study_uid, version, *more))
        time.sleep(self.delay_s)
        with self.lock:
            self.running[lane] -= 1
        faults = self.faults.get(name)
        if faults:
            raise faults.pop(0)

    @property
    def names(self):
        return [call[0] for call in self.calls]

    def draft(self, study_uid, version):
        self._note("draft", study_uid, version)

    def give_back(self, study_uid, version):
        self._note("give_back", study_uid, version)

    def confirm(self, study_uid, version):
        self._note("confirm", study_uid, version)

    def give_up(self, study_uid, version, reason):
        self._note("give_up", study_uid, version, reason)


@pytest.fixture
def recorder():
    return Recorder


@pytest.fixture(scope="session")
def fast():
    return FAST


@pytest.fixture(scope="session")
def wait_for():
    """Asks until the answer is true; False when it does not become so in time."""

    def wait(condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.02)
        return False

    return wait


@pytest.fixture(scope="session")
def used_file(tmp_path_factory):
    """A workflow file of an earlier start: a new one finds its lanes a second later."""
    path = tmp_path_factory.mktemp("workflow") / "used.sqlite"
    with Lanes(f"sqlite:///{path}", Recorder(), FAST):
        pass
    return path


@pytest.fixture
def url(tmp_path, used_file):
    shutil.copy(used_file, tmp_path / "workflow.sqlite")
    return f"sqlite:///{tmp_path}/workflow.sqlite"


@pytest.fixture
def killed_node():
    """Starts a node on these databases, and kills it in the middle of a draft."""

    def kill_one(lease_url, workflow_url, folder, node):
        command = [sys.executable, DEAD_NODE, lease_url, workflow_url, folder, node]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout.readline().startswith("drafting")
            child.kill()

    return kill_one


@pytest.fixture
def postgres(new_database):
    """URL of an empty database of a real PostgreSQL."""
    return new_database()
