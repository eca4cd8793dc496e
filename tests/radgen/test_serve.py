import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from radgen import serve
from radgen.serve import Role, Supervisor


def wait_for(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def sleeping(name, tmp_path, code="import time; time.sleep(60)"):
    return Role(name, (sys.executable, "-c", code), tmp_path / f"{name}.log")


def test_a_killed_process_is_started_again(tmp_path):
    supervisor = Supervisor([sleeping("one", tmp_path)])
    supervisor.start()
    try:
        assert wait_for(lambda: supervisor.pid("one"))
        first = supervisor.pid("one")
        os.kill(first, signal.SIGKILL)
        assert wait_for(lambda: supervisor.pid("one") not in {None, first})
    finally:
        supervisor.stop()
    assert supervisor.pid("one") is None


def test_stop_ends_every_process_and_returns(tmp_path):
    supervisor = Supervisor([sleeping("one", tmp_path), sleeping("two", tmp_path)])
    supervisor.start()
    assert wait_for(lambda: supervisor.pid("one") and supervisor.pid("two"))
    pids = [supervisor.pid("one"), supervisor.pid("two")]
    supervisor.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_process_that_ends_at_once_is_tried_again_ever_more_slowly(tmp_path):
    log = tmp_path / "short.log"
    supervisor = Supervisor([sleeping("short", tmp_path, "print('started')")])
    supervisor.start()
    try:
        assert wait_for(lambda: log.exists() and log.read_text().count("started") >= 3)
    finally:
        supervisor.stop()


def test_output_goes_to_the_role_s_own_file(tmp_path):
    supervisor = Supervisor([sleeping("loud", tmp_path, "print('hello', flush=True)")])
    supervisor.start()
    try:
        log = tmp_path / "loud.log"
        assert wait_for(lambda: log.exists() and "hello" in log.read_text())
    finally:
        supervisor.stop()


def test_a_process_that_cannot_be_started_is_tried_again(tmp_path):
    """Its log folder is not there yet: the disk was mounted late."""
    folder = tmp_path / "late"
    supervisor = Supervisor([sleeping("one", folder)])
    supervisor.start()
    try:
        assert wait_for(lambda: supervisor.restarts("one") > 0)
        folder.mkdir()
        assert wait_for(lambda: supervisor.pid("one"))
    finally:
        supervisor.stop()


def test_a_process_that_does_not_end_is_ended_by_force(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "STOP_S", 0.3)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(60)"
    )
    supervisor = Supervisor([sleeping("one", tmp_path, deaf)])
    supervisor.start()
    log = tmp_path / "one.log"
    assert wait_for(lambda: log.exists() and "deaf" in log.read_text())
    pid = supervisor.pid("one")
    supervisor.stop()
    supervisor.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_a_node_runs_until_it_is_told_to_end(tmp_path):
    code = (
        "import sys; from pathlib import Path; from radgen.serve import *;"
        "run_until_signal(Supervisor([Role('one', (sys.executable, '-c', "
        "'import os, time; print(os.getpid(), flush=True); time.sleep(60)'), Path(sys.argv[1]))]))"
    )
    log = tmp_path / "one.log"
    with subprocess.Popen([sys.executable, "-c", code, log]) as node:
        assert wait_for(lambda: log.exists() and log.read_text().strip())
        node.send_signal(signal.SIGTERM)
        assert node.wait(20) == 0
    assert not Path(f"/proc/{log.read_text().strip()}").exists()
