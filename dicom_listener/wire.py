"""Bytes from the socket, read in place: one reusable buffer for each association.

The two costs that matter are here. Data is never copied: the reader hands out slices of its buffer,
and whoever keeps slices gets `flush` called before the buffer is used again. And every blocking
receive asks for quick acknowledgement, because senders with Nagle's algorithm on otherwise wait
up to 40 ms for our delayed ACK at the end of each message.
"""

import socket
import ssl
import struct
from collections.abc import Callable
from time import monotonic

from radgen.domain.errors import PeerError

BUFFER_BYTES = 262144
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class PeerGoneError(PeerError):
    """The connection ended or stayed silent for too long."""


class ProtocolError(PeerError):
    """The peer broke the protocol.

    reason: for the A-ABORT, PS3.8 table 9-26.
    """

    def __init__(self, text: str, reason: int) -> None:
        super().__init__(text)
        self.reason = reason


UNRECOGNIZED_PDU = 1
UNEXPECTED_PDU = 2
INVALID_PARAMETER = 6


def nothing() -> None:
    """The `flush` of nobody."""


class Wire:
    """One connection. `flush`: called before the bytes handed out so far are overwritten.

    deadline: monotonic time after which a receive fails, however lively the peer is.
    """

    __slots__ = ("_buffer", "_end", "_quickack", "_socket", "_start", "_view", "deadline", "flush")

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        self._quickack = _QUICKACK if connection.family != socket.AF_UNIX else None
        self.deadline = 0.0
        self.flush: Callable[[], None] = nothing
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def set_timeout(self, seconds: float) -> None:
        """Longest silence. On a plain socket the kernel counts, which saves a poll a receive."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(seconds)
            return
        self._socket.settimeout(None)
        value = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        """The next bytes as numbers. Raises: PeerGoneError."""
        while self._end - self._start < layout.size:
            self._fill()
        values = layout.unpack_from(self._buffer, self._start)
        self._start += layout.size
        return values

    def take(self, most: int) -> memoryview:
        """At least 1 and at most `most` of the next bytes, valid until `flush`.

        Raises: PeerGoneError.
        """
        if self._start == self._end:
            self._fill()
        start = self._start
        self._start = min(start + most, self._end)
        return self._view[start : self._start]

    def read(self, length: int) -> bytes:
        """Exactly the next `length` bytes, as a copy. Raises: PeerGoneError."""
        pieces = bytearray()
        while len(pieces) < length:
            pieces += self.take(length - len(pieces))
        return bytes(pieces)

    def send(self, data: bytes) -> None:
        """One write for the whole reply. Raises: PeerGoneError."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise PeerGoneError("reply was not taken") from error

    @property
    def has_bytes(self) -> bool:
        """True if the peer sent more than was read."""
        return self._start < self._end

    def _fill(self) -> None:
        self.flush()
        rest = self._end - self._start
        if rest:  # part of a header
            self._view[:rest] = bytes(self._view[self._start : self._end])
        self._start = 0
        self._end = rest
        try:
            if self._quickack is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, self._quickack, 1)  # not sticky
            received = self._socket.recv_into(self._view[rest:])
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError) as error:
            raise PeerGoneError("silent for too long") from error
        except OSError as error:
            raise PeerGoneError("connection broke") from error
        if not received:
            raise PeerGoneError("connection closed")
        if self.deadline and monotonic() > self.deadline:
            raise PeerGoneError("too slow")
        self._end += received
