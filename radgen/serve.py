"""Keeps the processes of one node alive: starts them, starts again what dies, stops all in order.

Each process is the very command that a container runs alone, so this module knows nothing of them
but their command lines.
"""

import contextlib
import logging
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
HEALTHY_AFTER_S = 30.0
STOP_S = 15.0
NOT_STARTED = 127
# A child must not outlive a supervisor that is killed: it would keep the ports (prctl(2)).
_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--") if shutil.which("setpriv") else ()


@dataclass(frozen=True, slots=True)
class Role:
    """One process of the node: a name for the log, its command, and where its output goes."""

    name: str
    command: tuple[str, ...]
    log_file: Path | None = None


class Supervisor:
    """Runs `roles` until `stop` is set; a process that dies is started again, ever more slowly."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self._roles = tuple(roles)
        self._stop = threading.Event()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: Counter[str] = Counter()
        self._threads = [
            threading.Thread(target=self._keep, args=(role,), name=role.name) for role in roles
        ]

    def start(self) -> None:
        """Starts every role; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Asks every process to end, waits, then ends it by force. Safe to call twice."""
        self._stop.set()
        for child in list(self._children.values()):
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(STOP_S + 5)

    def pid(self, name: str) -> int | None:
        """Process id of a running role, None while it is not running."""
        child = self._children.get(name)
        return child.pid if child is not None and child.poll() is None else None

    @property
    def names(self) -> tuple[str, ...]:
        """Every role it keeps."""
        return tuple(role.name for role in self._roles)

    def restarts(self, name: str) -> int:
        """How often a role ended by itself and was started again."""
        return self._ended[name]

    def _keep(self, role: Role) -> None:
        pause = FIRST_PAUSE_S
        while not self._stop.is_set():
            started = time.monotonic()
            code = self._run_once(role)
            if self._stop.is_set():
                return
            self._ended[role.name] += 1
            long_enough = time.monotonic() - started > HEALTHY_AFTER_S
            pause = FIRST_PAUSE_S if long_enough else min(pause * 2, LONGEST_PAUSE_S)
            log.warning(
                "process ended, starting it again",
                extra={"role": role.name, "exit_code": code, "pause_s": pause},
            )
            self._stop.wait(pause)

    def _run_once(self, role: Role) -> int:
        """Starts the process, waits for its end, returns its exit code."""
        try:
            child = _started(role)
        except OSError as error:
            # The command is being replaced, or the disk is full: as if it had ended at once.
            log.error("process not started", extra={"role": role.name, "why": error.strerror})  # noqa: TRY400 - no traceback into the log
            return NOT_STARTED
        self._children[role.name] = child
        log.info("process started", extra={"role": role.name, "pid": child.pid})
        if self._stop.is_set():
            child.terminate()
        while child.poll() is None:
            if self._stop.wait(0.1):
                return _ended(child)
        return child.returncode


def _started(role: Role) -> subprocess.Popen[bytes]:
    """The running process. Raises: OSError."""
    with contextlib.ExitStack() as files:
        output = files.enter_context(role.log_file.open("ab")) if role.log_file else None
        return subprocess.Popen((*_WITH_US, *role.command), stdout=output, stderr=output)


def _ended(child: subprocess.Popen[bytes]) -> int:
    """Waits for a process that was asked to end; kills it when it takes too long."""
    try:
        return child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def run_until_signal(supervisor: Supervisor) -> None:
    """Blocks until SIGTERM or SIGINT, then stops the supervisor."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    supervisor.start()
    asked.wait()
    supervisor.stop()
