"""The health check of the Triton container against a real server: the embedded one, by HTTP."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.decoder import WEIGHTS as DECODER_WEIGHTS
from models.pack import PACKS, load_pack
from radgen.drafting import triton_process
from radgen.drafting.triton_preflight import examine_host, find_repository, refusal_of

CHECK = Path(__file__).resolve().parents[2] / "docker" / "triton_health.py"
PACK = PACKS / "cxr-adult"

pytestmark = pytest.mark.triton


@pytest.fixture
def server(tmp_path):
    """Process and HTTP root of a server on the repository of the project."""
    host = examine_host(find_repository())
    refusal = refusal_of(host)
    if refusal:
        pytest.skip(refusal.message)
    folder = tmp_path / "triton"
    folder.mkdir()
    triton_process._link_backend(folder, host.wheel)
    with_decoder = DECODER_WEIGHTS in load_pack(PACK).files
    launch = triton_process.Launch(host.wheel, host.repository, PACK, with_decoder=with_decoder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = triton_process._command(launch, folder, ())
    line = [word for word in line if word != "--allow-http=false"]
    line += ["--http-address=127.0.0.1", f"--http-port={port}", "--allow-grpc=false"]
    process = subprocess.Popen(
        line[line.index(str(host.wheel.server)) :],
        env=triton_process._environment(launch),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        root = f"http://127.0.0.1:{port}"
        wait_ready(process, root)
        yield process, root
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_ready(process, root):
    until = time.monotonic() + 40
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        if says_ready(root):
            return
        time.sleep(0.1)
    raise AssertionError("the server is not ready")


def says_ready(root):
    connection = http.client.HTTPConnection(root.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/v2/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def check(root, pack):
    return subprocess.run(
        [sys.executable, str(CHECK), root],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "RADGEN_PACK_FOLDER": str(pack)},
        timeout=60,
    )


def test_a_server_that_computes_is_healthy(server):
    run = check(server[1], PACK)
    assert run.returncode == 0, run.stderr


def test_a_server_that_is_not_there_is_not():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert check(f"http://127.0.0.1:{port}", PACK).returncode != 0


@pytest.mark.parametrize("model", ["vision_encoder", "report_decoder"])
def test_a_server_whose_python_stub_died_is_not_though_it_says_ready(model, server):
    process, root = server
    os.kill(stub_of(model, process.pid), signal.SIGKILL)
    assert says_ready(root)
    assert check(root, PACK).returncode != 0


def stub_of(model, session):
    """Process id of the stub that serves `model`; its command line names the model."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--sid", str(session)], capture_output=True, text=True, check=True
    )
    lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in listed.stdout.split()}
    (found,) = [pid for pid, line in lines.items() if b"stub" in line and model.encode() in line]
    return found
