"""Is the peer there, and does it know us?"""

import time

from pynetdicom.presentation import build_context

from radgen.pacs.association import answer_status, open_association
from radgen.pacs.peer import Peer
from radgen.pacs.services import VERIFICATION


def echo(peer: Peer) -> float:
    """Verifies the peer; returns how long the C-ECHO took, in milliseconds, association excluded.

    Raises: PeerUnreachableError, PeerRefusedError.
    """
    with open_association(peer, [build_context(VERIFICATION)]) as assoc:
        start = time.perf_counter()
        answer_status(peer, "C-ECHO", assoc.send_c_echo())
        return (time.perf_counter() - start) * 1000.0
