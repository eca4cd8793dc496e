import os
import signal
import sys
import time
from pathlib import Path

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
