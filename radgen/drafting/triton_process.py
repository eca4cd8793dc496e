"""One life of one embedded Triton: the binary of the wheel, started on our own repository.

The server is old (2.51) and some of its faults are known, so it listens on a socket in a folder of
mode 0700 and nowhere else, gets an environment without our secrets, and is never trusted to stop
by itself (docs/decisions/0003-triton.md).
"""

import collections
import fcntl
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import models
from models.contract import DRAFT_REPORT, REPORT_DECODER, VISION_ENCODER
from radgen.domain.errors import InferenceUnavailableError
from radgen.drafting import triton_guard
from radgen.drafting.triton_preflight import Wheel
from radgen.drafting.triton_wire import Endpoint, TritonWire

log = logging.getLogger(__name__)

PACK_FOLDER_VARIABLE = "RADGEN_PACK_FOLDER"
RESTRICTED = "shared-memory,model-repository,model-config,statistics,trace,logging"
EXIT_TIMEOUT_S = 5
SHM_BYTES = 16 * 1024 * 1024
_RUN_PREFIX = "radgen-triton-"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start.

    with_decoder: False for a pack that has no report decoder.
    port: TCP port on loopback for load tools; None: the private Unix socket, as in production.
    """

    wheel: Wheel
    repository: Path
    pack_folder: Path
    with_decoder: bool = True
    port: int | None = None


class TritonProcess:
    """A running server, in the care of a guard that ends it when this process dies."""

    def __init__(self, launch: Launch) -> None:
        """Starts the server and returns at once; `wait_ready` tells when it serves."""
        remove_stale_run_folders()
        self.folder = Path(tempfile.mkdtemp(prefix=_RUN_PREFIX))  # mkdtemp makes mode 0700
        self._lock = (self.folder / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        key = secrets.token_hex(16)
        address, number = f"unix:{self.folder}/grpc", "1"
        if launch.port is not None:
            address, number = "127.0.0.1", str(launch.port)
        self.endpoint = Endpoint(f"{address}:{number}", key)
        _link_backend(self.folder, launch.wheel)
        self._tail: collections.deque[str] = collections.deque(maxlen=40)
        options = (f"--grpc-address={address}", f"--grpc-port={number}")
        self._process = subprocess.Popen(
            _command(launch, self.folder, (*options, _restrict(key))),
            env=_environment(launch),
            cwd=self.folder,  # the stub has "" on sys.path: nothing may lie there
            stdin=subprocess.PIPE,  # its end is the guard's sign to stop
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._drain, name="triton-log", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Process id of the guard; the server is its child, the stubs are the server's."""
        return self._process.pid

    def is_alive(self) -> bool:
        """False once the server has ended."""
        return self._process.poll() is None

    def last_lines(self) -> str:
        """The end of the server's log; it holds model names and errors, never an image."""
        return "\n".join(self._tail)

    def wait_ready(self, timeout_s: float) -> None:
        """Waits until every model is loaded.

        Raises: InferenceUnavailableError if the server ends or is not ready in time. The server's
        own stub timeout is no help: with a missing libpython it waits for minutes.
        """
        until = time.monotonic() + timeout_s
        with TritonWire(self.endpoint) as wire:
            while time.monotonic() < until:
                if not self.is_alive():
                    raise InferenceUnavailableError(f"triton ended at start:\n{self.last_lines()}")
                if wire.is_ready(timeout_s=1.0):
                    return
                time.sleep(0.05)
        raise InferenceUnavailableError(f"triton is not ready after {timeout_s:g} s")

    def stop(self) -> None:
        """Ends server and stubs within a bounded time and removes what they left behind."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(EXIT_TIMEOUT_S + 10)
        except subprocess.TimeoutExpired:
            log.warning("triton's guard did not stop by itself", extra={"pid": self.pid})
            self._process.kill()
            self._process.wait()
        try:  # the guard removes the folder last: it is there only if the guard was killed
            triton_guard.kill_group(int((self.folder / triton_guard.PID_FILE).read_text("ascii")))
        except (OSError, ValueError):
            log.debug("triton's guard has cleaned up", extra={"pid": self.pid})
        self._reader.join(timeout=5)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()
        triton_guard.remove_run(self.folder)
        self._lock.close()

    def _drain(self) -> None:
        if self._process.stdout is None:
            return
        for line in self._process.stdout:
            self._tail.append(line.decode("utf-8", "replace").rstrip())


def remove_stale_run_folders() -> None:
    """Removes run folders whose owner died: their lock is free, and they are ours."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_RUN_PREFIX}*"):
        try:
            status = folder.lstat()
            # A folder that was made a moment ago may not have its lock yet.
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < 60:
                continue
            with (folder / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                triton_guard.remove_run(folder)
        except OSError:  # somebody's live folder, or gone meanwhile
            continue


def _link_backend(folder: Path, wheel: Wheel) -> None:
    """The python backend as Triton wants it: the wheel ships stubs and library apart.

    The stub appends this folder to sys.path after the environment's own packages (with their .pth
    files). The link makes an uninstalled checkout serve the `models` this process imports.
    """
    backend = folder / "backends" / "python"
    backend.mkdir(parents=True)
    (backend / "libtriton_python.so").symlink_to(wheel.backend / "libtriton_python.so")
    interface = "triton_python_backend_utils.py"
    (backend / interface).symlink_to(wheel.backend / interface)
    (backend / "triton_python_backend_stub").symlink_to(wheel.stub)
    (backend / "models").symlink_to(Path(models.__file__).resolve().parent)


def _restrict(key: str) -> str:
    return f"--grpc-restricted-protocol={RESTRICTED}:admin={key}"


def _command(launch: Launch, folder: Path, endpoint_options: tuple[str, ...]) -> list[str]:
    guard = [sys.executable, "-I", "-S", str(Path(triton_guard.__file__)), str(folder)]
    names = [VISION_ENCODER.name]
    if launch.with_decoder:
        names += [REPORT_DECODER.name, DRAFT_REPORT.name]
    return [
        *guard,
        str(EXIT_TIMEOUT_S + 2),
        str(launch.wheel.server),
        f"--model-repository={launch.repository.resolve()}",
        f"--backend-directory={folder / 'backends'}",
        "--model-control-mode=explicit",
        *(f"--load-model={name}" for name in names),
        "--disable-auto-complete-config",
        "--strict-readiness=true",
        f"--exit-timeout-secs={EXIT_TIMEOUT_S}",
        "--log-format=ISO8601",
        "--allow-http=false",
        "--allow-metrics=false",
        "--grpc-infer-allocation-pool-size=1",
        f"--backend-config=python,shm-default-byte-size={SHM_BYTES}",
        f"--backend-config=python,shm-growth-byte-size={SHM_BYTES}",
        *endpoint_options,
    ]


def _environment(launch: Launch) -> dict[str, str]:
    """Only what the server needs; database addresses and keys of the caller stay with the caller.

    PATH decides which environment's packages the stub imports, .pth files included.
    """
    return {
        "PATH": f"{launch.wheel.bin_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "LD_LIBRARY_PATH": launch.wheel.library_path,
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        PACK_FOLDER_VARIABLE: str(launch.pack_folder.resolve()),
    }
