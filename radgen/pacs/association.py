"""One association as client: opened within a deadline, closed whatever happens.

pynetdicom waits for the next message with a timeout, but reads the bytes of one message without
any: a peer that sends half a PDU and stops would hold the calling thread for ever. So a timer cuts
the TCP connection when the whole exchange has lasted too long.
"""

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.status import STATUS_PENDING, STATUS_SUCCESS, STATUS_WARNING, code_to_category
from pynetdicom.transport import AddressInformation, AssociationSocket
from typing_extensions import override

from radgen.domain.errors import PeerRefusedError, PeerUnreachableError
from radgen.pacs.peer import Peer

# pynetdicom would write queries and answers, names included, into the log at level INFO.
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False
# Its other lines tell addresses and states only, and say nothing that our errors do not.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)

# A-ASSOCIATE-RJ result, PS3.8 table 9-21: 1 = permanent, 2 = transient.
_REJECTED_TRANSIENT = 2

Handler = tuple[evt.EventType, Callable[[evt.Event], Any]]


class _Client(AE):
    """Our side of one association: knows its TCP socket, cuts it in time and closes it for sure."""

    def __init__(self, peer: Peer) -> None:
        super().__init__(ae_title=peer.our_aet)
        self.connection_timeout = peer.connect_timeout_s
        self.acse_timeout = min(peer.response_timeout_s, peer.total_timeout_s)
        self.dimse_timeout = min(peer.response_timeout_s, peer.total_timeout_s)
        self.network_timeout = peer.total_timeout_s
        self._raw: socket.socket | None = None
        self._timer = threading.Timer(peer.total_timeout_s, self._cut)
        self._timer.daemon = True

    @override
    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[ssl.SSLContext, str] | None,
    ) -> AssociationSocket:
        connection = super()._create_socket(assoc, address, tls_args)
        self._raw = connection.socket
        if self._raw is not None:
            # A request is two writes, command and identifier: without this the second waits for
            # the acknowledgement of the first, up to 40 ms.
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._timer.start()
        return connection

    def close(self) -> None:
        """Frees timer and socket; pynetdicom leaves the socket open when it cannot connect."""
        self._timer.cancel()
        if self._raw is not None:
            self._raw.close()

    def _cut(self) -> None:
        if self._raw is not None:
            # OSError: not connected yet, or closed by the other thread in this very moment.
            with suppress(OSError):
                self._raw.shutdown(socket.SHUT_RDWR)


@contextmanager
def open_association(
    peer: Peer, contexts: Sequence[PresentationContext], handlers: Sequence[Handler] = ()
) -> Iterator[Association]:
    """An established association; released at the end, aborted when the body raises.

    Raises: PeerUnreachableError when nobody answers, the peer is busy or aborts;
        PeerRefusedError when it rejects us for good or accepts none of `contexts`.
    """
    with closing(_Client(peer)) as client:
        assoc = _associate(peer, client, contexts, handlers)
        try:
            yield assoc
        except BaseException as error:
            lost = isinstance(error, RuntimeError) and not assoc.is_established
            assoc.abort()
            if lost:
                # pynetdicom's way to say that the association ended between two messages.
                raise PeerUnreachableError(f"peer {peer.name} ended the association") from error
            raise
        assoc.release()


def _associate(
    peer: Peer,
    client: _Client,
    contexts: Sequence[PresentationContext],
    handlers: Sequence[Handler],
) -> Association:
    try:
        assoc = client.associate(
            peer.host,
            peer.port,
            contexts=list(contexts),
            ae_title=peer.aet,
            evt_handlers=list(handlers),
        )
    except OSError as error:
        raise PeerUnreachableError(f"peer {peer.name}: host name not found") from error
    _require_established(peer, assoc)
    return assoc


def _require_established(peer: Peer, assoc: Association) -> None:
    if assoc.is_established:
        return
    if assoc.is_rejected:
        answer = assoc.acceptor.primitive
        if answer is not None and answer.result == _REJECTED_TRANSIENT:
            raise PeerUnreachableError(f"peer {peer.name} is busy: association rejected for now")
        reason = answer.reason_str if answer is not None else "no reason given"
        raise PeerRefusedError(f"peer {peer.name} rejected the association: {reason}")
    if assoc.rejected_contexts and not assoc.accepted_contexts:
        raise PeerRefusedError(f"peer {peer.name} supports none of the services we asked for")
    raise PeerUnreachableError(f"peer {peer.name} gave no association")


def answer_status(peer: Peer, service: str, status: Dataset) -> int:
    """The status code of one answer that is no failure: success, warning or pending.

    Raises: PeerUnreachableError when there was no answer, PeerRefusedError when it is a failure.
        The peer's Error Comment is left out: it may hold names.
    """
    if "Status" not in status:
        raise PeerUnreachableError(f"peer {peer.name} gave no answer to {service} in time")
    code = int(status.Status)
    if code_to_category(code) not in {STATUS_SUCCESS, STATUS_WARNING, STATUS_PENDING}:
        raise PeerRefusedError(f"peer {peer.name} answered {service} with 0x{code:04X}")
    return code
