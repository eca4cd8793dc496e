"""Page and engine as their containers start them: the example configuration, the health checks."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.pack import PACKS

DOCKER = Path(__file__).resolve().parents[2] / "docker"
EXAMPLE = DOCKER / "radgen.toml"
RADGEN = Path(sys.executable).parent / "radgen"


def elsewhere(folder, **more):
    """The environment that puts what a container would mount into `folder`."""
    return {
        **os.environ,
        "RADGEN_STORE__FOLDER": str(folder / "store"),
        "RADGEN_DATABASE__URL": f"sqlite:///{folder}/ledger.sqlite",
        **more,
    }


def health_check_of(name):
    """Words of the HEALTHCHECK of one Dockerfile."""
    text = (DOCKER / f"{name}.Dockerfile").read_text("utf-8")
    return json.loads(re.search(r"^ +CMD (\[.*\])", text, re.MULTILINE)[1])


@pytest.fixture
def page(tmp_path, free_port):
    """Process and port of a running page."""
    process = subprocess.Popen(
        [str(RADGEN), "review", "--config", str(EXAMPLE)],
        env=elsewhere(
            tmp_path, RADGEN_REVIEW__BIND="127.0.0.1", RADGEN_REVIEW__PORT=str(free_port)
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield process, free_port
    process.terminate()
    process.wait(20)


def page_is_well(port):
    _, flag, code = health_check_of("review")
    command = [sys.executable, flag, code.replace(":8480/", f":{port}/")]
    return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0


def test_the_page_is_well_once_it_is_up_and_not_when_it_is_gone(page):
    process, port = page
    until = time.monotonic() + 60
    while not page_is_well(port) and time.monotonic() < until:
        assert process.poll() is None, "the page ended"
        time.sleep(0.2)
    assert page_is_well(port)
    process.terminate()
    process.wait(20)
    assert not page_is_well(port)


@pytest.mark.parametrize(("pack", "well"), [("cxr-adult", True), ("no-such-pack", False)])
def test_the_engine_is_well_only_if_it_really_reads(pack, well, tmp_path):
    words = [
        word.replace("/etc/radgen/radgen.toml", str(EXAMPLE)) for word in health_check_of("engine")
    ]
    run = subprocess.run(
        [str(RADGEN), *words[1:]],
        env=elsewhere(
            tmp_path,
            RADGEN_ENGINE__MODE="in-process",
            RADGEN_ENGINE__PACK_FOLDER=str(PACKS / pack),
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (run.returncode == 0) == well, run.stderr
