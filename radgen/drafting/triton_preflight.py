"""May the embedded Triton run here at all?

Every check stands for a fault that was met: a missing libpython makes the server hang for minutes,
numpy 2 makes its python stub return wrong numbers without an error, a small /dev/shm kills the
stub under load (docs/decisions/0003-triton.md). Looking at the host and judging it are apart, so
that every refusal can be tested.
"""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import models

# The wheel is manylinux_2_35 and carries stubs for these; numpy 1.x has no wheel beyond 3.12.
GLIBC = (2, 35)
PYTHONS = ((3, 11), (3, 12))
MACHINES = ("x86_64", "aarch64")
# 16 MiB for each of two stubs as we start them, grown at most once, doubled to be safe.
SHARED_MEMORY_BYTES = 128 * 1024 * 1024


class Unfit(StrEnum):
    """Why the embedded server is not used; the caller runs the networks in process."""

    PLATFORM = "platform"
    GLIBC = "glibc"
    PYTHON = "python"
    WHEEL = "wheel"
    NUMPY = "numpy"
    LIBRARY = "library"
    SHARED_MEMORY = "shared-memory"
    REPOSITORY = "repository"
    START = "start"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A typed reason and one sentence for the log that says what to do."""

    reason: Unfit
    message: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """What we take from the nvidia-pytriton wheel; its Python API is never imported.

    bin_folder: the environment whose `python3` the stub takes its prefix from.
    library_path: value of LD_LIBRARY_PATH for server and stub.
    """

    server: Path
    backend: Path
    stub: Path
    bin_folder: Path
    library_path: str


@dataclass(frozen=True, slots=True)
class Host:
    """What the checks look at.

    numpy: version in the environment of the stub, "" where there is none.
    missing_libraries: sonames that server or stub could not resolve.
    repository: the model repository, None where it was not found.
    """

    system: str
    machine: str
    glibc: tuple[int, int]
    python: tuple[int, int]
    numpy: str
    wheel: Wheel | None
    missing_libraries: tuple[str, ...]
    shared_memory_free: int
    repository: Path | None


def find_repository() -> Path | None:
    """The folder `triton_repo`: beside the package in a checkout, under share/ from a wheel."""
    checkout = Path(models.__file__).resolve().parent.parent / "triton_repo"
    installed = Path(sys.prefix) / "share" / "radgen" / "triton_repo"
    return next((folder for folder in (checkout, installed) if folder.is_dir()), None)


def find_wheel(python: tuple[int, int] = sys.version_info[:2]) -> Wheel | None:
    """Locates the binaries of nvidia-pytriton; None where the wheel or our stub is missing."""
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        return None
    packages = Path(spec.origin).resolve().parent.parent
    root = packages / "pytriton" / "tritonserver"
    stubs = root / "python_backend_stubs" / f"{python[0]}.{python[1]}"
    libraries = (packages / "nvidia_pytriton.libs", sysconfig.get_config_var("LIBDIR"))
    wheel = Wheel(
        server=root / "bin" / "tritonserver",
        backend=root / "backends" / "python",
        stub=stubs / "triton_python_backend_stub",
        bin_folder=Path(sys.prefix) / "bin",
        library_path=os.pathsep.join(str(folder) for folder in libraries if folder),
    )
    return wheel if wheel.server.is_file() and wheel.stub.is_file() else None


def missing_libraries(wheel: Wheel) -> tuple[str, ...]:
    """Sonames the dynamic linker cannot find for server and stub, as they will be started."""
    missing: list[str] = []
    for binary in (wheel.server, wheel.stub):
        answer = subprocess.run(
            ["ldd", str(binary)],
            env={"LD_LIBRARY_PATH": wheel.library_path, "PATH": os.defpath, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        lines = (line.split() for line in answer.stdout.splitlines() if "not found" in line)
        missing += [words[0] for words in lines]
    return tuple(dict.fromkeys(missing))


def examine_host(repository: Path | None) -> Host:
    """Looks at this machine and this environment; starts nothing but `ldd`."""
    wheel = find_wheel()
    folder = Path("/dev/shm")  # noqa: S108 - the fixed place of POSIX shared memory on Linux
    try:
        numpy = importlib.metadata.version("numpy")
    except importlib.metadata.PackageNotFoundError:
        numpy = ""
    return Host(
        system=platform.system(),
        machine=platform.machine(),
        glibc=_glibc(),
        python=sys.version_info[:2],
        numpy=numpy,
        wheel=wheel,
        missing_libraries=missing_libraries(wheel) if wheel and shutil.which("ldd") else (),
        shared_memory_free=shutil.disk_usage(folder).free if folder.is_dir() else 0,
        repository=repository,
    )


def refusal_of(host: Host) -> Refusal | None:
    """The first check that fails, or None when the embedded server may start."""
    for reason, check in _CHECKS:
        message = check(host)
        if message:
            return Refusal(reason, message)
    return None


def _glibc() -> tuple[int, int]:
    """(0, 0) where the C library is another one."""
    name, version = platform.libc_ver()
    numbers = version.split(".")
    return (int(numbers[0]), int(numbers[1])) if name == "glibc" and len(numbers) > 1 else (0, 0)


def _platform(host: Host) -> str:
    if host.system == "Linux" and host.machine in MACHINES:
        return ""
    wanted = " or ".join(MACHINES)
    return f"the embedded server runs on Linux {wanted}, not on {host.system} {host.machine}"


def _c_library(host: Host) -> str:
    if host.glibc >= GLIBC:
        return ""
    return f"glibc {GLIBC[0]}.{GLIBC[1]} or newer is needed, found {host.glibc[0]}.{host.glibc[1]}"


def _python(host: Host) -> str:
    if host.python in PYTHONS:
        return ""
    return f"Python 3.11 or 3.12 is needed, found {host.python[0]}.{host.python[1]}"


def _wheel(host: Host) -> str:
    return "" if host.wheel else "nvidia-pytriton is not installed: pip install 'radgen[triton]'"


def _numpy(host: Host) -> str:
    if host.numpy.startswith("1."):
        return ""
    found = host.numpy or "none"
    return f"numpy 1.26 is needed, found {found}: with numpy 2 the python stub returns wrong values"


def _libraries(host: Host) -> str:
    if not host.missing_libraries:
        return ""
    return f"shared libraries are missing: {', '.join(host.missing_libraries)}"


def _shared_memory(host: Host) -> str:
    if host.shared_memory_free >= SHARED_MEMORY_BYTES:
        return ""
    free, need = host.shared_memory_free >> 20, SHARED_MEMORY_BYTES >> 20
    return f"shared memory: {free} MiB free, {need} MiB needed (docker: --shm-size=512m)"


def _repository(host: Host) -> str:
    return "" if host.repository else "the model repository triton_repo was not found"


_CHECKS: tuple[tuple[Unfit, Callable[[Host], str]], ...] = (
    (Unfit.PLATFORM, _platform),
    (Unfit.GLIBC, _c_library),
    (Unfit.PYTHON, _python),
    (Unfit.WHEEL, _wheel),
    (Unfit.NUMPY, _numpy),
    (Unfit.LIBRARY, _libraries),
    (Unfit.SHARED_MEMORY, _shared_memory),
    (Unfit.REPOSITORY, _repository),
)
