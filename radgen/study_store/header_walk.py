"""Walks a dataset as it lies in a file: finds its UIDs, and sees that every length keeps its word.

Truncation is silent in DICOM (an element simply ends early), so the walk goes to the last byte; it
reads headers only and never a value but the four UIDs, in constant memory. Nesting is counted, not
recursed, so no depth can exhaust the stack.
"""

import os
import re
import struct
from dataclasses import dataclass
from enum import Enum, auto

from radgen.domain.errors import UnreadableInstanceError

HEAD_BYTES = 65536
MAX_DEPTH = 64
EXPLICIT_BIG_ENDIAN = "1.2.840.10008.1.2.2"
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_WANTED = frozenset({_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES})
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
# PS3.5 table 7.1-1: these VRs have a 4-byte length behind 2 reserved bytes.
_LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
_SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN"}
    | {b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
)


class EncodingError(UnreadableInstanceError):
    """The bytes are not what the transfer syntax says; another reader may make sense of them."""


@dataclass(frozen=True, slots=True)
class InstanceUids:
    """The four UIDs by which an instance is filed, each valid."""

    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str


class _Level(Enum):
    SEQUENCE = auto()
    ITEM = auto()


@dataclass(frozen=True, slots=True)
class _Layout:
    """How element headers are packed."""

    explicit: bool
    header: struct.Struct
    tag: struct.Struct
    long_length: struct.Struct


_EXPLICIT_LITTLE = _Layout(
    explicit=True,
    header=struct.Struct("<HH2sH"),
    tag=struct.Struct("<HHI"),
    long_length=struct.Struct("<I"),
)
_EXPLICIT_BIG = _Layout(
    explicit=True,
    header=struct.Struct(">HH2sH"),
    tag=struct.Struct(">HHI"),
    long_length=struct.Struct(">I"),
)
_IMPLICIT = _Layout(
    explicit=False,
    header=struct.Struct("<HH2sH"),
    tag=struct.Struct("<HHI"),
    long_length=struct.Struct("<I"),
)


def is_valid_uid(uid: str) -> bool:
    """True for digits and single dots, at most 64 of them.

    Components with a leading zero are let through: they break PS3.5 section 9.1, and scanners in
    use make them.
    """
    return len(uid) <= 64 and _UID.fullmatch(uid) is not None


def find_uids(
    fd: int, start: int, size: int, transfer_syntax_uid: str, head: bytes | bytearray = b""
) -> InstanceUids:
    """Walks the dataset of `size` bytes that begins at byte `start` of the file `fd`.

    head: the first bytes of the dataset, if they are at hand (saves reading them).
    Raises: EncodingError if the bytes are not of that transfer syntax; UnreadableInstanceError if
        the dataset is truncated, nested deeper than 64, or lacks one of the UIDs.
    """
    layout = {EXPLICIT_BIG_ENDIAN: _EXPLICIT_BIG, IMPLICIT_LITTLE_ENDIAN: _IMPLICIT}.get(
        transfer_syntax_uid, _EXPLICIT_LITTLE
    )
    found = _Walk(_Window(fd, start, size, head), layout).run()
    return uids_from({tag: value.rstrip(b"\0 ").decode("latin-1") for tag, value in found.items()})


def uids_from(found: dict[int, str]) -> InstanceUids:
    """Checks the values by tag and names them. Raises: UnreadableInstanceError."""
    for tag in sorted(_WANTED):
        if not is_valid_uid(found.get(tag, "")):
            raise UnreadableInstanceError(f"no valid UID in ({tag >> 16:04x},{tag & 0xFFFF:04x})")
    return InstanceUids(found[_SOP_CLASS], found[_SOP_INSTANCE], found[_STUDY], found[_SERIES])


class _Window:
    """A piece of the dataset in memory; positions count from the start of the dataset."""

    __slots__ = ("base", "data", "end", "fd", "size", "start")

    def __init__(self, fd: int, start: int, size: int, head: bytes | bytearray) -> None:
        self.fd = fd
        self.start = start
        self.size = size
        self.base = 0
        self.data: bytes | bytearray = head
        self.end = len(head)

    def move_to(self, at: int, need: int) -> None:
        """Makes `need` bytes at `at` available. Raises: UnreadableInstanceError past the end."""
        if at + need > self.size:
            raise UnreadableInstanceError("dataset is truncated")
        self.data = os.pread(self.fd, min(HEAD_BYTES, self.size - at), self.start + at)
        self.base = at
        self.end = at + len(self.data)
        if at + need > self.end:
            raise UnreadableInstanceError("file is shorter than its dataset")

    def value(self, at: int, length: int) -> bytes:
        if at + length > self.end:
            self.move_to(at, length)
        return bytes(self.data[at - self.base : at - self.base + length])


class _Walk:
    def __init__(self, window: _Window, layout: _Layout) -> None:
        self._window = window
        self._layout = layout
        self._at = 0
        # Open sequences and items of undefined length, with the layout to return to.
        self._open: list[tuple[_Level, _Layout]] = []
        self._found: dict[int, bytes] = {}

    def run(self) -> dict[int, bytes]:
        size = self._window.size
        while self._at < size:
            tag, vr, length = self._next_header()
            if tag >> 16 == 0xFFFE:
                self._delimiter(tag, length)
            elif self._open and self._open[-1][0] is _Level.SEQUENCE:
                raise EncodingError("element where an item should be")
            elif length == _UNDEFINED:
                self._enter(_Level.SEQUENCE, _IMPLICIT if vr == b"UN" else self._layout)
            else:
                self._value(tag, length)
        if self._open or self._at > size:
            raise UnreadableInstanceError("dataset is truncated")
        return self._found

    def _next_header(self) -> tuple[int, bytes, int]:
        """Tag, VR (empty where implicit), length; moves behind the header."""
        window, layout, at = self._window, self._layout, self._at
        if at + 12 > window.end:
            window.move_to(at, 8)
        index = at - window.base
        group, element, vr, length = layout.header.unpack_from(window.data, index)
        self._at = at + 8
        tag = group << 16 | element
        if layout.explicit and vr in _SHORT_VRS and group != 0xFFFE:
            return tag, vr, length
        if not layout.explicit or group == 0xFFFE:
            return tag, b"", layout.tag.unpack_from(window.data, index)[2]
        if vr not in _LONG_VRS:
            raise EncodingError("value representation is unknown")
        return tag, vr, self._long_length(index)

    def _long_length(self, index: int) -> int:
        self._at += 4
        if self._at > self._window.size:
            raise UnreadableInstanceError("dataset is truncated")
        length: int = self._layout.long_length.unpack_from(self._window.data, index + 8)[0]
        return length

    def _value(self, tag: int, length: int) -> None:
        if tag in _WANTED and not self._open:
            if length > 128:
                raise UnreadableInstanceError("UID is too long")
            self._found[tag] = self._window.value(self._at, length)
        self._at += length

    def _enter(self, level: _Level, inner: _Layout) -> None:
        if len(self._open) >= 2 * MAX_DEPTH:
            raise UnreadableInstanceError("sequences are nested too deep")
        self._open.append((level, self._layout))
        self._layout = inner

    def _leave(self, level: _Level) -> None:
        if not self._open or self._open[-1][0] is not level:
            raise EncodingError("delimiter without a beginning")
        _, self._layout = self._open.pop()

    def _delimiter(self, tag: int, length: int) -> None:
        if tag == _ITEM:
            if not self._open or self._open[-1][0] is not _Level.SEQUENCE:
                raise EncodingError("item outside a sequence")
            if length == _UNDEFINED:
                self._enter(_Level.ITEM, self._layout)
            else:
                self._at += length
        elif tag in {_ITEM_END, _SEQUENCE_END} and length == 0:
            self._leave(_Level.ITEM if tag == _ITEM_END else _Level.SEQUENCE)
        else:
            raise EncodingError("delimiter is malformed")
