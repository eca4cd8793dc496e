"""Stands between us and the server, so that whatever dies first, nothing stays behind.

Run as a script (`python -I -S triton_guard.py RUN_FOLDER EXIT_TIMEOUT_S PROGRAM ARGUMENT...`). It
ends the server when its own standard input ends, which the kernel sees to when our process dies;
and it ends the stubs when the server dies: the decoupled one was seen to hang for ever in that
case, with its shared memory. Standard library only, one thread, so the flag set between fork and
exec is safe.
"""

import contextlib
import ctypes
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2)
PID_FILE = "server.pid"
REGIONS_FILE = "regions"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the fixed place of POSIX shared memory on Linux
REGION_PREFIX = "triton_python_backend_shm_region_"
_REGION = re.compile(rf"/({REGION_PREFIX}[0-9A-Za-z-]+)")


def regions_of(process: str) -> set[str]:
    """Names of the regions that a process maps or has just opened; none once it has ended."""
    folder, seen = Path("/proc") / process, ""
    with contextlib.suppress(OSError):
        seen += (folder / "maps").read_text(encoding="utf-8")
    with contextlib.suppress(OSError):
        for link in (folder / "fd").iterdir():
            with contextlib.suppress(OSError):
                seen += f"{link.readlink()}\n"
    return set(_REGION.findall(seen))


def leaked_regions(since: float) -> set[str]:
    """Names of our user's regions made after `since` that no process uses any more."""
    ours = set()
    for path in SHARED_MEMORY.glob(f"{REGION_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if status.st_uid == os.getuid() and status.st_ctime >= since:
                ours.add(path.name)
    if not ours:
        return ours
    processes = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
    return ours.difference(*map(regions_of, processes))


def kill_group(pid: int) -> None:
    """SIGKILL for every process of a group; none left is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def die_with_parent() -> None:
    """Asks the kernel to kill this process when its parent's only thread ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def note_regions(folder: Path, pid: int, known: frozenset[str]) -> frozenset[str]:
    """Adds the server's regions to `known`, on disk too: the guard itself may be killed."""
    seen = known | regions_of(str(pid))
    if seen != known:
        with contextlib.suppress(OSError):
            (folder / REGIONS_FILE).write_text("\n".join(sorted(seen)), encoding="ascii")
    return seen


def remove_run(folder: Path) -> None:
    """Removes a run folder, the regions that it lists, and those that died before they were seen.

    A dead stub's region may stay mapped by its server to the end, hence the list; a server that is
    stopped while it loads leaves regions that nobody had time to list.
    """
    names: set[str] = set()
    with contextlib.suppress(OSError, UnicodeError):
        names.update((folder / REGIONS_FILE).read_text(encoding="ascii").split())
    with contextlib.suppress(OSError):
        names |= leaked_regions(since=(folder / PID_FILE).stat().st_mtime - 1.0)
    for name in names:
        if _REGION.fullmatch(f"/{name}"):
            (SHARED_MEMORY / name).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str]) -> None:
    """Runs the server to its end and removes what it left."""
    folder, exit_timeout_s, program = Path(arguments[0]), float(arguments[1]), arguments[2:]
    server = subprocess.Popen(
        program,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
    )
    (folder / PID_FILE).write_text(str(server.pid), encoding="ascii")
    regions: frozenset[str] = frozenset()
    give_up = math.inf
    while server.poll() is None and time.monotonic() < give_up:
        regions = note_regions(folder, server.pid, regions)
        if give_up < math.inf:
            time.sleep(0.05)
        elif select.select([0], [], [], 0.25)[0]:  # end of file: nobody ever writes
            server.terminate()
            give_up = time.monotonic() + exit_timeout_s
    kill_group(server.pid)
    server.wait()
    remove_run(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
