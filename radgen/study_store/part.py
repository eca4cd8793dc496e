"""A file while it is being received: nobody sees it under its final name before it is whole."""

import fcntl
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

# writev takes at most IOV_MAX pieces (1024 on Linux).
MAX_PIECES = 512


class Part:
    """One open `.part` file. Its lock tells a starting process that somebody still writes it."""

    __slots__ = ("fd", "path", "size")

    def __init__(self, folder: Path) -> None:
        """Creates an empty part. Raises: OSError if the disk refuses."""
        self.path = folder / f"{secrets.token_hex(12)}.part"
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self.size = 0
        fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Appends at most `MAX_PIECES` pieces without copying them. Raises: OSError."""
        total = sum(map(len, pieces))
        written = os.writev(self.fd, pieces)
        if written != total:  # a nearly full disk takes what it can; the next write says why
            rest = memoryview(b"".join(pieces))[written:]
            while rest:
                rest = rest[os.write(self.fd, rest) :]
        self.size += total

    def link(self, target: str) -> None:
        """Gives the file its final name. Raises: FileExistsError if the name is taken, OSError."""
        os.link(self.path, target)

    def close(self) -> None:
        """Closes the file and removes the `.part` name; final names stay."""
        if self.fd >= 0:
            self.path.unlink()
            os.close(self.fd)
            self.fd = -1


def remove_leftovers(folder: Path) -> int:
    """Removes parts that nobody writes any more; returns how many there were."""
    removed = 0
    for path in folder.glob("*.part"):
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
            removed += 1
        except BlockingIOError:
            continue
        finally:
            os.close(fd)
    return removed
