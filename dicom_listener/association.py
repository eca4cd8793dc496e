"""One association from its request to its end, on one thread; the path from P-DATA to file.

Upper layer as in PS3.8 section 9, acceptor side, read straight from the socket: no queue, no second
thread, no state machine object. What may come next is where the code stands.
"""

import logging
import struct
from dataclasses import dataclass
from threading import Event
from time import monotonic

from dicom_listener.admission import Admission, Caller
from dicom_listener.command_set import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_STORE_RQ,
    N_EVENT_REPORT_RQ,
    SUCCESS,
    UNRECOGNIZED_OPERATION,
    Command,
    parse_command,
    response_pdu,
)
from dicom_listener.commitment import begin_event, finish_event
from dicom_listener.negotiation import (
    APPLICATION_CONTEXT,
    APPLICATION_UNKNOWN,
    TOO_MANY,
    Context,
    Refusal,
    abort_pdu,
    accept_pdu,
    accepted_contexts,
    choose_contexts,
    decode_request,
    reject_pdu,
    release_pdu,
)
from dicom_listener.settings import ListenerSettings
from dicom_listener.sinks import DiscardSink, Sink
from dicom_listener.store_service import Party, StoreService
from dicom_listener.wire import (
    INVALID_PARAMETER,
    UNEXPECTED_PDU,
    UNRECOGNIZED_PDU,
    PeerGoneError,
    ProtocolError,
    Wire,
    nothing,
)
from radgen.domain.errors import StoreError
from radgen.study_store.store import StoreWriter

log = logging.getLogger(__name__)

_REQUEST, _DATA, _RELEASE, _ABORT = 0x01, 0x04, 0x05, 0x07
_KNOWN_PDUS = frozenset(range(0x01, 0x08))
_PDU_HEADER = struct.Struct(">BxI")
_PDV_HEADER = struct.Struct(">IBB")
_COMMAND, _LAST = 1, 2


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all associations of a listener share. stopping: set when the listener stops."""

    settings: ListenerSettings
    admission: Admission
    writer: StoreWriter
    stopping: Event


@dataclass(slots=True)
class _Message:
    """The message being received."""

    context: Context
    command: Command
    sink: Sink


class _AbortedError(Exception):
    """The peer sent A-ABORT."""


class Association:
    """Serves one connection; `run` returns when it is over and raises nothing."""

    def __init__(
        self, wire: Wire, caller: Caller, number: int, shared: Surroundings, *, has_seat: bool
    ) -> None:
        self._wire = wire
        self._caller = caller
        self._shared = shared
        self._has_seat = has_seat
        self._party = Party(number, peer_address=str(caller.address))
        self._contexts: dict[int, Context] = {}
        self._command = bytearray()
        self._command_context = 0
        self._message: _Message | None = None
        self._store: StoreService | None = None
        self.busy = False

    def run(self) -> None:
        """Negotiates, then serves until release, abort, silence or stop."""
        begun = monotonic()
        end = "released"
        try:
            if self._negotiate():
                self._serve()
        except _AbortedError:
            end = "aborted by peer"
        except ProtocolError as error:
            end = f"aborted: {error}"
            self._send_abort(error.reason)
        except PeerGoneError as error:
            end = f"lost: {error}"
            self._send_abort(0)
        finally:
            if self._message is not None:
                self._message.sink.close()
        self._tell(end, round((monotonic() - begun) * 1000))

    def _negotiate(self) -> bool:
        """True when accepted; what a refused peer is told is told here."""
        settings = self._shared.settings
        self._wire.set_timeout(settings.artim_s)
        self._wire.deadline = monotonic() + settings.artim_s
        kind, length = self._wire.unpack(_PDU_HEADER)
        if kind != _REQUEST:
            raise ProtocolError("no association request", UNEXPECTED_PDU)
        if not 68 <= length <= settings.max_association_request_bytes:
            raise ProtocolError("association request has a wrong length", INVALID_PARAMETER)
        request = decode_request(_PDU_HEADER.pack(kind, length) + self._wire.read(length))
        offer = self._shared.admission.decide(
            self._caller, request.calling_ae_title, request.called_ae_title
        )
        if request.application_context_name != APPLICATION_CONTEXT:
            offer = APPLICATION_UNKNOWN
        if not self._has_seat:
            offer = TOO_MANY
        if isinstance(offer, Refusal):
            self._wire.send(reject_pdu(offer))
            log.warning(
                "association refused",
                extra={"association": self._party.number, "reason": offer.word},
            )
            return False
        choices = list(choose_contexts(request, offer))
        self._contexts = accepted_contexts(choices)
        self._party = Party(
            self._party.number,
            request.calling_ae_title,
            request.called_ae_title,
            self._party.peer_address,
        )
        self._store = StoreService(
            self._shared.writer, self._party, settings.max_dataset_mb * 1024 * 1024
        )
        self._wire.send(accept_pdu(request, choices, settings.max_pdu_bytes))
        return True

    def _serve(self) -> None:
        self._wire.deadline = 0.0
        self._wire.set_timeout(self._shared.settings.idle_s)
        while True:
            kind, length = self._wire.unpack(_PDU_HEADER)
            if kind == _DATA:
                self._receive_data(length)
            elif self._is_release(kind, length):
                return
            if not self.busy and self._shared.stopping.is_set():
                raise ProtocolError("listener is stopping", 0)

    def _is_release(self, kind: int, length: int) -> bool:
        """True after an answered A-RELEASE-RQ. Raises for everything else."""
        if kind not in _KNOWN_PDUS:
            raise ProtocolError("PDU type is unknown", UNRECOGNIZED_PDU)
        if kind not in {_RELEASE, _ABORT} or length != 4:
            raise ProtocolError("PDU is not allowed here", UNEXPECTED_PDU)
        self._wire.read(length)
        if kind == _ABORT:
            raise _AbortedError
        if self.busy:
            raise ProtocolError("release in the middle of a message", UNEXPECTED_PDU)
        if self._store is not None:
            try:
                self._store.end()
            except StoreError as error:
                log.warning(
                    "end of association not recorded",
                    extra={"association": self._party.number, "reason": str(error)},
                )
        self._wire.send(release_pdu())
        return True

    def _receive_data(self, left: int) -> None:
        """One P-DATA-TF PDU of `left` bytes: its PDVs (PS3.8 section 9.3.5)."""
        if left > self._shared.settings.max_pdu_bytes:
            raise ProtocolError("PDU is longer than negotiated", INVALID_PARAMETER)
        while left:
            if left < 6:
                raise ProtocolError("PDU is cut off", INVALID_PARAMETER)
            length, context_id, flags = self._wire.unpack(_PDV_HEADER)
            left -= length + 4
            if length < 2 or left < 0:
                raise ProtocolError("PDV has a wrong length", INVALID_PARAMETER)
            if not self.busy:
                self._begin_message()
            if flags & _COMMAND:
                self._receive_command(context_id, length - 2, last=bool(flags & _LAST))
            else:
                self._receive_dataset(context_id, length - 2, last=bool(flags & _LAST))

    def _begin_message(self) -> None:
        self.busy = True
        self._wire.deadline = monotonic() + self._shared.settings.message_s

    def _receive_command(self, context_id: int, length: int, *, last: bool) -> None:
        if self._message is not None or context_id not in self._contexts:
            raise ProtocolError("command is not allowed here", UNEXPECTED_PDU)
        if self._command and context_id != self._command_context:
            raise ProtocolError("command changes its context", INVALID_PARAMETER)
        if len(self._command) + length > self._shared.settings.max_command_bytes:
            raise ProtocolError("command set is too long", INVALID_PARAMETER)
        self._command_context = context_id
        self._command += self._wire.read(length)
        if last:
            command = parse_command(self._command)
            self._command.clear()
            self._begin_dataset(command, self._contexts[context_id])

    def _begin_dataset(self, command: Command, context: Context) -> None:
        if command.field == C_CANCEL_RQ:  # nothing of ours can be cancelled
            self._end_message()
            return
        self._message = _Message(context, command, self._sink_for(command, context))
        self._wire.flush = self._message.sink.flush
        if not command.has_dataset:
            self._answer(self._message)

    def _sink_for(self, command: Command, context: Context) -> Sink:
        if command.field == C_STORE_RQ and self._store is not None:
            return self._store.begin(command, context)
        if command.field == N_EVENT_REPORT_RQ:
            return begin_event(command, context, self._shared.settings.max_event_bytes)
        if command.field == C_ECHO_RQ:
            return DiscardSink(SUCCESS)
        return DiscardSink(UNRECOGNIZED_OPERATION)

    def _receive_dataset(self, context_id: int, length: int, *, last: bool) -> None:
        message = self._message
        if message is None or context_id != message.context.context_id:
            raise ProtocolError("dataset is not allowed here", UNEXPECTED_PDU)
        write, take = message.sink.write, self._wire.take
        while length:
            piece = take(length)
            length -= len(piece)
            write(piece)
        if last:
            self._answer(message)

    def _answer(self, message: _Message) -> None:
        command, context = message.command, message.context
        if command.field == C_STORE_RQ and self._store is not None:
            status = self._store.finish(message.sink, command, context)
        elif command.field == N_EVENT_REPORT_RQ:
            status = finish_event(message.sink, command, context, self._shared.writer, self._party)
        else:
            status = message.sink.failure
        self._end_message()
        self._wire.send(response_pdu(context.context_id, command, status))

    def _end_message(self) -> None:
        if self._message is not None:
            self._message.sink.close()
        self._message = None
        self._wire.flush = nothing
        self._wire.deadline = 0.0
        self.busy = False

    def _send_abort(self, reason: int) -> None:
        try:
            self._wire.send(abort_pdu(reason))
        except PeerGoneError:
            return

    def _tell(self, end: str, milliseconds: int) -> None:
        counts = dict(self._store.counts) if self._store is not None else {}
        size = self._store.stored_bytes if self._store is not None else 0
        log.info(
            "association ended",
            extra={
                "association": self._party.number,
                "end": end,
                "counts": counts,
                "bytes": size,
                "ms": milliseconds,
            },
        )
