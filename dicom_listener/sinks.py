"""Where the bytes of one dataset go while they arrive: a file, memory, or nowhere.

A sink never raises because of the disk or a limit: it remembers the status to answer with and
lets the rest of the dataset pass by, so that the association stays usable.
"""

from typing import Protocol

from dicom_listener.command_set import OUT_OF_RESOURCES, PROCESSING_FAILURE
from radgen.study_store.header_walk import HEAD_BYTES
from radgen.study_store.part import MAX_PIECES, Part


class Sink(Protocol):
    """Takes slices of the receive buffer, valid until `flush`.

    failure: the status to answer with, 0 while all is well.
    """

    failure: int

    def write(self, piece: memoryview) -> None:
        """Takes the next bytes of the dataset."""

    def flush(self) -> None:
        """Lets go of all slices."""

    def close(self) -> None:
        """The message is over or given up."""


class DiscardSink:
    """Nowhere: the answer is known already."""

    __slots__ = ("failure",)

    def __init__(self, failure: int) -> None:
        self.failure = failure

    def write(self, piece: memoryview) -> None:
        """As in `Sink`."""

    def flush(self) -> None:
        """As in `Sink`."""

    def close(self) -> None:
        """As in `Sink`."""


class MemorySink:
    """A small dataset that we read ourselves."""

    __slots__ = ("_limit", "data", "failure")

    def __init__(self, limit: int) -> None:
        self.failure = 0
        self.data = bytearray()
        self._limit = limit

    def write(self, piece: memoryview) -> None:
        """As in `Sink`."""
        if len(self.data) + len(piece) > self._limit:
            self.failure = PROCESSING_FAILURE
            self.data.clear()
        if not self.failure:
            self.data += piece

    def flush(self) -> None:
        """As in `Sink`."""

    def close(self) -> None:
        """As in `Sink`."""


class FileSink:
    """A part of the store; slices are gathered and written in one call.

    head: the first bytes of the dataset. start: bytes of the file before the dataset.
    reason: why it failed, for the log.
    """

    __slots__ = ("_left", "_pieces", "failure", "head", "part", "reason", "start")

    def __init__(self, part: Part, file_head: bytes, limit: int) -> None:
        self.failure = 0
        self.reason = ""
        self.part = part
        self.start = len(file_head)
        self.head = bytearray()
        self._left = limit
        self._pieces: list[bytes | memoryview] = [file_head]

    def write(self, piece: memoryview) -> None:
        """As in `Sink`."""
        if self.failure:
            return
        self._left -= len(piece)
        if self._left < 0:
            self._fail("dataset is larger than max_dataset_mb")
            return
        missing = HEAD_BYTES - len(self.head)
        if missing > 0:
            self.head += piece[:missing]
        self._pieces.append(piece)
        if len(self._pieces) == MAX_PIECES:
            self.flush()

    def flush(self) -> None:
        """As in `Sink`."""
        if not self._pieces:
            return
        try:
            self.part.write(self._pieces)
        except OSError as error:
            self._fail(error.strerror or "disk refused")
        self._pieces.clear()

    def close(self) -> None:
        """As in `Sink`."""
        self._pieces.clear()
        self.part.close()

    def _fail(self, reason: str) -> None:
        self.failure = OUT_OF_RESOURCES
        self.reason = reason
        self._pieces.clear()
        self.part.close()  # the space is needed
