"""`radgen worker`, `review`, `serve`, `health` as processes, and the parts of the worker."""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from radgen.cli import worker_parts
from radgen.cli.processes import ALL_ROLES, installed, role_commands
from radgen.cli.site import open_site
from radgen.cli.worker_parts import every, run_worker
from radgen.domain.errors import ConfigurationError, InferenceUnavailableError
from radgen.workflow.lease import Lease

COMMAND = Path(sys.executable).parent / "radgen"
QUICK = {"sweep_s": 0.05, "poll_s": 0.05}


@pytest.fixture
def wait_for():
    def wait(condition, seconds=30.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.05)
        return False

    return wait


@pytest.fixture
def start(tmp_path):
    """Starts `radgen` with its output in a file; ended at the end, if it still runs."""
    children = []

    def run(*words):
        log = (tmp_path / f"{words[0]}.log").open("wb")
        children.append(
            (subprocess.Popen([COMMAND, *map(str, words)], stdout=log, stderr=log), log)
        )
        return children[-1][0]

    yield run
    for child, log in children:
        if child.poll() is None:
            child.kill()
        child.wait()
        log.close()


def test_a_worker_starts_says_so_and_ends_when_it_is_told(start, write_site, tmp_path, wait_for):
    child = start("worker", "-c", write_site(workflow=QUICK))
    log = tmp_path / "worker.log"
    assert wait_for(lambda: "worker is ready" in log.read_text())
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (ready,) = [line for line in lines if line["event"] == "worker is ready"]
    assert (ready["engine"], ready["level"]) == ("in-process", "info")


def test_a_second_worker_of_the_same_name_ends_at_once(run, write_site, tmp_path):
    file = write_site(workflow={"node": "one"})
    with Lease("", tmp_path, "one"):
        done = run("worker", "-c", file)
    assert done.returncode == 1
    assert "a worker named 'one' runs already" in done.stderr.splitlines()[-1]


def test_a_worker_outlives_an_archive_that_is_away(
    write_site, tmp_path, monkeypatch, wait_for, caplog
):
    """Nobody is at the archive's port: reconciling fails, says so, and the work goes on."""
    monkeypatch.setattr(worker_parts, "RECONCILE_AFTER_S", 0.05)
    site, stop = open_site(write_site(workflow=QUICK)), threading.Event()
    thread = threading.Thread(target=run_worker, args=(site, stop))
    thread.start()
    assert wait_for(lambda: "not reconciled with the archive" in caplog.text)
    assert thread.is_alive()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    with Lease("", tmp_path, "local"):
        pass  # the name is free again


def test_a_duty_is_done_at_once_and_then_at_its_time(monkeypatch):
    now, done = [100.0], []
    monkeypatch.setattr(worker_parts.time, "monotonic", lambda: now[0])
    duty = every(10, lambda: done.append(now[0]))
    for second in (100, 105, 111, 112, 125):
        now[0] = float(second)
        duty()
    assert done == [100, 111, 125]


def test_the_page_answers_at_its_port(start, write_site, free_port, wait_for):
    child = start("review", "-c", write_site(review={"port": free_port}))

    def answers():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/", timeout=2) as page:
                return page.status == 200
        except OSError:
            return False

    assert wait_for(answers)
    child.send_signal(signal.SIGTERM)
    # uvicorn ends in order and then raises the signal once more.
    assert child.wait(20) in {0, -signal.SIGTERM}


def test_a_node_runs_its_roles_and_ends_them_all(start, write_site, free_ports, tmp_path, wait_for):
    """`serve` starts the page and the listener; both are gone when it is told to end."""
    page, listener = free_ports(2)
    file = write_site(
        review={"port": page},
        listener={"port": listener, "store": str(tmp_path / "store"), "accept_any_peer": True},
    )
    child = start("serve", "-c", file, "--roles", "listener, review")
    log = tmp_path / "serve.log"
    assert wait_for(lambda: '"event": "ready"' in log.read_text())
    assert wait_for(lambda: log.read_text().count("process started") == 2)
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 0
    pids = [
        json.loads(line)["pid"]
        for line in log.read_text().splitlines()
        if '"process started"' in line
    ]
    assert len(pids) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_the_roles_are_the_commands_that_also_run_alone(tmp_path):
    roles = role_commands(tmp_path / "radgen.toml", list(ALL_ROLES), tmp_path)
    assert [role.name for role in roles] == list(ALL_ROLES)
    assert roles[0].command == (
        installed("dicom-listener"),
        "--config",
        str(tmp_path / "radgen.toml"),
    )
    assert roles[1].command[1:] == ("worker", "--config", str(tmp_path / "radgen.toml"))
    assert roles[1].log_file == tmp_path / "worker.log"
    (alone,) = role_commands(None, ["review"])
    assert (alone.command[1:], alone.log_file) == (("review",), None)


def test_a_command_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match="no-such-command is not installed"):
        installed("no-such-command")


def test_health_reads_one_image(call, write_site, monkeypatch):
    monkeypatch.delenv("TRITON_URL", raising=False)
    file = write_site()
    assert call("health", "-c", file).stdout.startswith("in-process read one image in ")
    found = json.loads(call("health", "-c", file, "--json").stdout)
    assert found["engine"] == "in-process"
    assert found["ms"] > 0


def test_health_fails_where_the_server_is_not(call, write_site, monkeypatch, free_port):
    monkeypatch.setenv("TRITON_URL", f"grpc://127.0.0.1:{free_port}")
    file = write_site(engine={"start_timeout_s": 0.5})
    assert isinstance(call("health", "-c", file).exception, InferenceUnavailableError)
