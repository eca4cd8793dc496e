"""What docs/install.md tells people to install can be installed: the pins meet the requirements."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = {
    canonicalize_name(found[1]): found[2]
    for found in re.finditer(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
}
# onnxruntime-gpu owns the import name of onnxruntime: the pinned set holds one of the two.
TESTED = [name for name in EXTRAS if name != "gpu"]


@pytest.mark.parametrize("extra", ["base", *TESTED])
def test_the_pinned_set_meets_every_requirement(extra):
    lines = PROJECT["dependencies"] if extra == "base" else EXTRAS[extra]
    unmet = [
        f"{line}, pinned {PINS.get(canonicalize_name(Requirement(line).name))}"
        for line in lines
        if not Requirement(line).specifier.contains(
            PINS.get(canonicalize_name(Requirement(line).name), "0")
        )
    ]
    assert not unmet


def test_the_embedded_server_is_pinned_below_numpy_2():
    numpy = [Requirement(line) for line in EXTRAS["triton"] if line.startswith("numpy")]
    assert [str(one.specifier.contains("2.0.0")) for one in numpy] == ["False"]
    assert PINS["numpy"].startswith("1.26.")


@pytest.mark.parametrize("extra", ["cpu", "gpu"])
def test_the_two_runtimes_are_apart(extra):
    assert len(EXTRAS[extra]) == 1
    others = [line for name, lines in EXTRAS.items() if name != extra for line in lines]
    assert not [line for line in others if line.split(">")[0] == EXTRAS[extra][0].split(">")[0]]
