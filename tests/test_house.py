"""The rooms keep their size and their names."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("radgen", "models", "dicom_listener", "benchmarks")
SOURCES = [path for name in (*OURS, "triton_repo", "tests") for path in (ROOT / name).rglob("*.py")]
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "tools"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_file_has_a_vague_name():
    assert not [path for path in SOURCES if path.stem in VAGUE]


def test_package_inits_hold_a_docstring_and_nothing_else():
    inits = [p for p in SOURCES if p.name == "__init__.py" and p.is_relative_to(ROOT / "radgen")]
    assert inits
    for path in inits:
        assert re.fullmatch(r'\s*""".*?"""\s*', path.read_text(encoding="utf-8"), re.DOTALL), path


def test_our_distribution_alone_owns_its_import_names():
    owners = packages_distributions()
    for name in OURS:
        assert set(owners[name]) == {"radgen"}


def test_the_listener_loads_nothing_heavy():
    code = "import sys, dicom_listener.__main__; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in run.stdout.split()}
    assert not loaded & {"torch", "monai", "sqlalchemy", "dbos", "fastapi", "tritonclient", "scipy"}


def test_no_path_of_a_build_machine_and_no_registry_host_is_committed():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    texts = [ROOT / n for n in listed.stdout.split("\0") if n and "packs/" not in n]
    bad = re.compile(rb"/work/main|/work/shared|/tmp/setup|/opt/wheels|files\.pythonhosted")
    this = Path(__file__).resolve()
    assert not [p for p in texts if p.is_file() and p != this and bad.search(p.read_bytes())]
