"""Command sets (PS3.7 section 6.3.1) and the PDUs that carry our answers, packed by hand."""

import struct
from dataclasses import dataclass

from dicom_listener.wire import INVALID_PARAMETER, ProtocolError

C_STORE_RQ = 0x0001
C_ECHO_RQ = 0x0030
N_EVENT_REPORT_RQ = 0x0100
C_CANCEL_RQ = 0x0FFF
NO_DATASET = 0x0101
_RESPONSE = 0x8000

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
NO_SUCH_EVENT_TYPE = 0x0113
SOP_CLASS_NOT_SUPPORTED = 0x0122
UNRECOGNIZED_OPERATION = 0x0211
OUT_OF_RESOURCES = 0xA700
DATASET_MISMATCH = 0xA900
CANNOT_UNDERSTAND = 0xC210

_HEADER = struct.Struct("<HHI")
_US = struct.Struct("<HHIH")
_PDU_AND_PDV = struct.Struct(">BxIIBB")
_AFFECTED_CLASS, _FIELD, _MESSAGE_ID, _RESPONDED_ID = 0x0002, 0x0100, 0x0110, 0x0120
_DATASET_TYPE, _STATUS, _AFFECTED_INSTANCE, _EVENT_TYPE = 0x0800, 0x0900, 0x1000, 0x1002


@dataclass(frozen=True, slots=True)
class Command:
    """What a peer asks. The UIDs are as it sent them, without padding."""

    field: int
    message_id: int
    has_dataset: bool
    affected_class: str
    affected_instance: str
    event_type: int


def parse_command(data: bytes | bytearray) -> Command:
    """Reads a command set: group 0000, implicit little endian. Raises: ProtocolError."""
    values: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise ProtocolError("command set is cut off", INVALID_PARAMETER)
        group, element, length = _HEADER.unpack_from(data, at)
        at += 8
        if group or at + length > len(data):
            raise ProtocolError("command set is malformed", INVALID_PARAMETER)
        values[element] = bytes(data[at : at + length])
        at += length
    return Command(
        field=_number(values, _FIELD),
        message_id=_number(values, _MESSAGE_ID, 0),
        has_dataset=_number(values, _DATASET_TYPE) != NO_DATASET,
        affected_class=_text(values, _AFFECTED_CLASS),
        affected_instance=_text(values, _AFFECTED_INSTANCE),
        event_type=_number(values, _EVENT_TYPE, 0),
    )


def response_pdu(context_id: int, command: Command, status: int) -> bytes:
    """The whole P-DATA PDU of the response to `command` (PS3.7 sections 9.3 and 10.3)."""
    elements = [
        _uid(_AFFECTED_CLASS, command.affected_class),
        _us(_FIELD, command.field | _RESPONSE),
        _us(_RESPONDED_ID, command.message_id),
        _us(_DATASET_TYPE, NO_DATASET),
        _us(_STATUS, status),
        _uid(_AFFECTED_INSTANCE, command.affected_instance),
    ]
    if command.field == N_EVENT_REPORT_RQ:
        elements.append(_us(_EVENT_TYPE, command.event_type))
    body = b"".join(elements)
    data = _HEADER.pack(0, 0, 4) + struct.pack("<I", len(body)) + body
    # Flags 3: command, last fragment (PS3.8 annex E).
    return _PDU_AND_PDV.pack(0x04, len(data) + 6, len(data) + 2, context_id, 3) + data


def _number(values: dict[int, bytes], element: int, default: int | None = None) -> int:
    value = values.get(element)
    if value is None and default is not None:
        return default
    if value is None or len(value) != 2:
        raise ProtocolError("command set lacks a number", INVALID_PARAMETER)
    return int.from_bytes(value, "little")


def _text(values: dict[int, bytes], element: int) -> str:
    return values.get(element, b"").rstrip(b"\0 ").decode("latin-1")


def _us(element: int, value: int) -> bytes:
    return _US.pack(0, element, 2, value)


def _uid(element: int, uid: str) -> bytes:
    """Empty when absent or too long to be one: an answer repeats no nonsense."""
    if not uid or len(uid) > 64:
        return b""
    value = uid.encode("latin-1")
    value += b"\0" * (len(value) % 2)
    return _HEADER.pack(0, element, len(value)) + value
