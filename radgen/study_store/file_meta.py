"""Preamble and file meta information (PS3.10 section 7.1), written and read without a library.

The preamble is always zeroed, whatever a sender had in it (CVE-2019-11687). Nothing about the
sender goes in: the same instance from two senders makes the same file.
"""

import struct
from dataclasses import dataclass

from radgen.domain.errors import UnreadableInstanceError

IMPLEMENTATION_CLASS_UID = "2.25.127244313863526272488897090006907189630"
IMPLEMENTATION_VERSION_NAME = "RADGEN_0_1"

_PREFIX = bytes(128) + b"DICM"
_LONG_VRS = frozenset({b"OB", b"OW", b"UN", b"UT", b"SQ"})
_SHORT = struct.Struct("<HH2sH")
_LONG = struct.Struct("<HH2sHI")


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What the file meta information says, and where the dataset starts (bytes)."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    dataset_offset: int


def _element(element: int, vr: bytes, value: bytes, pad: bytes = b"\0") -> bytes:
    if len(value) % 2:
        value += pad
    return _SHORT.pack(0x0002, element, vr, len(value)) + value


_VERSION = _LONG.pack(0x0002, 0x0001, b"OB", 0, 2) + b"\x00\x01"
_IMPLEMENTATION = _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID.encode()) + _element(
    0x0013, b"SH", IMPLEMENTATION_VERSION_NAME.encode(), b" "
)


def build_file_head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Everything that stands before the dataset in a file."""
    meta = (
        _VERSION
        + _element(0x0002, b"UI", sop_class_uid.encode("ascii"))
        + _element(0x0003, b"UI", sop_instance_uid.encode("ascii"))
        + _element(0x0010, b"UI", transfer_syntax_uid.encode("ascii"))
        + _IMPLEMENTATION
    )
    length = _SHORT.pack(0x0002, 0x0000, b"UL", 4) + struct.pack("<I", len(meta))
    return b"".join((_PREFIX, length, meta))


def read_file_head(head: bytes) -> FileMeta:
    """Reads preamble and file meta information from the first bytes of a file.

    Raises: UnreadableInstanceError if they are not there, or do not end within `head`.
    """
    if head[128:132] != b"DICM":
        raise UnreadableInstanceError("no DICM prefix")
    found: dict[int, str] = {}
    at = 132
    try:
        while struct.unpack_from("<H", head, at)[0] == 0x0002:
            _, element, vr, length = _SHORT.unpack_from(head, at)
            at += 8
            if vr in _LONG_VRS:
                length = struct.unpack_from("<I", head, at)[0]
                at += 4
            found[element] = head[at : at + length].rstrip(b"\0 ").decode("ascii", "replace")
            at += length
    except struct.error as error:
        raise UnreadableInstanceError("file meta information is cut off or too long") from error
    if not found:
        raise UnreadableInstanceError("no file meta information")
    return FileMeta(found.get(0x0002, ""), found.get(0x0003, ""), found.get(0x0010, ""), at)
