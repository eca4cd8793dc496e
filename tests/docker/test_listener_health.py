"""The listener as its container starts it: the example configuration, and the health check."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "docker" / "radgen.toml"
LISTENER = Path(sys.executable).parent / "dicom-listener"


@pytest.fixture
def listening(tmp_path):
    """Process and port of a listener; what a container would mount is put elsewhere."""
    process = subprocess.Popen(
        [str(LISTENER), "--config", str(EXAMPLE)],
        env={
            **os.environ,
            "RADGEN_LISTENER__BIND": "127.0.0.1",
            "RADGEN_LISTENER__PORT": "0",
            "RADGEN_LISTENER__STORE": str(tmp_path / "store"),
            "RADGEN_LISTENER__MIN_FREE_MB": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process, json.loads(process.stdout.readline())["port"]
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def health(port):
    command = [str(LISTENER), "health", "--port", str(port), "--aet", "RADGEN"]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode


def test_the_health_check_passes_although_only_the_archive_is_heard(listening):
    assert health(listening[1]) == 0


def test_the_health_check_fails_when_the_listener_is_gone(listening):
    process, port = listening
    process.terminate()
    process.wait(20)
    assert health(port) == 1
