"""Each reason not to start the embedded server is found before it is started."""

import dataclasses
import sys
from pathlib import Path

import pytest

from radgen.drafting.triton_preflight import (
    Host,
    Unfit,
    Wheel,
    examine_host,
    find_repository,
    find_wheel,
    missing_libraries,
    refusal_of,
)

FIT = Host(
    system="Linux",
    machine="x86_64",
    glibc=(2, 36),
    python=(3, 11),
    numpy="1.26.4",
    wheel=Wheel(Path("server"), Path("backend"), Path("stub"), Path("bin"), ""),
    missing_libraries=(),
    shared_memory_free=1 << 30,
    repository=Path("triton_repo"),
)


def test_a_fit_host_is_not_refused():
    assert refusal_of(FIT) is None


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"system": "Darwin"}, Unfit.PLATFORM, "Linux x86_64 or aarch64, not on Darwin x86_64"),
        ({"machine": "riscv64"}, Unfit.PLATFORM, "not on Linux riscv64"),
        ({"glibc": (2, 31)}, Unfit.GLIBC, "glibc 2.35 or newer is needed, found 2.31"),
        ({"glibc": (0, 0)}, Unfit.GLIBC, "found 0.0"),
        ({"python": (3, 13)}, Unfit.PYTHON, "found 3.13"),
        ({"wheel": None}, Unfit.WHEEL, "pip install 'radgen[triton]'"),
        ({"numpy": "2.4.6"}, Unfit.NUMPY, "found 2.4.6: with numpy 2 the python stub returns"),
        ({"numpy": ""}, Unfit.NUMPY, "found none"),
        ({"missing_libraries": ("libpython3.11.so.1.0",)}, Unfit.LIBRARY, "libpython3.11.so.1.0"),
        ({"shared_memory_free": 64 << 20}, Unfit.SHARED_MEMORY, "64 MiB free, 128 MiB needed"),
        ({"repository": None}, Unfit.REPOSITORY, "triton_repo"),
    ],
)
def test_each_fault_has_its_reason_and_says_what_is_needed(change, reason, words):
    refusal = refusal_of(dataclasses.replace(FIT, **change))
    assert refusal is not None
    assert refusal.reason is reason
    assert words in refusal.message


def test_the_first_fault_is_named():
    worst = dataclasses.replace(FIT, system="Darwin", numpy="2.0.0")
    assert refusal_of(worst).reason is Unfit.PLATFORM


@pytest.mark.triton
def test_this_host_is_examined_as_it_is():
    host = examine_host(find_repository())
    assert host.python == sys.version_info[:2]
    assert host.glibc > (2, 0)
    assert host.repository is not None
    assert (host.repository / "vision_encoder" / "config.pbtxt").is_file()
    assert host.shared_memory_free > 0


@pytest.mark.triton
def test_a_stub_without_its_libpython_is_noticed():
    wheel = find_wheel()
    if wheel is None:
        pytest.skip("nvidia-pytriton is not installed")
    assert missing_libraries(wheel) == ()
    # The stub alone does not know where libpython lies, unless the system has one.
    other = find_wheel((3, 8))
    bare = dataclasses.replace(other, server=other.stub, library_path="")
    assert "libpython3.8.so.1.0" in missing_libraries(bare)


def test_a_python_without_stub_has_no_wheel():
    assert find_wheel((3, 7)) is None
