"""Becomes another program that the kernel kills when our parent's starting thread ends.

Run as a script (`python -I -S die_with_parent.py PARENT_PID PROGRAM ARGUMENT...`): the flag set
here survives the exec, and no code runs between fork and exec of a process full of threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main(arguments: list[str]) -> None:
    """Sets the flag, then replaces this process."""
    parent, program = int(arguments[0]), arguments[1]
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_PDEATHSIG) was refused")
    # The parent may have died before the flag was set; then nobody would ever tell us.
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    os.execv(program, arguments[1:])  # noqa: S606 - the program is our caller's, no shell wanted


if __name__ == "__main__":
    main(sys.argv[1:])
