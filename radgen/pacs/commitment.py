"""Asks an archive to promise that it keeps what we sent (Storage Commitment Push, PS3.4 J.3).

The promise comes as N-EVENT-REPORT, usually minutes or milliseconds later on an association that
the archive opens to our listener. Some archives use the association of the request instead, so we
stay on it for a moment.
"""

import queue
from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.presentation import build_context

from radgen.pacs.association import answer_status, open_association
from radgen.pacs.peer import Peer
from radgen.pacs.services import STORAGE_COMMITMENT_PUSH, STORAGE_COMMITMENT_PUSH_INSTANCE
from radgen.pacs.uids import checked_uid

# Action type "Request Storage Commitment", PS3.4 table J.3-1.
REQUEST_COMMITMENT = 1


@dataclass(frozen=True, slots=True)
class InstanceReference:
    """One stored instance."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class CommitmentResult:
    """What the archive promised.

    committed, failed: SOP Instance UIDs; failed ones are not kept by the archive.
    """

    transaction_uid: str
    committed: frozenset[str]
    failed: frozenset[str]


def request_commitment(
    peer: Peer,
    transaction_uid: str,
    references: Sequence[InstanceReference],
    stay_s: float = 0.2,
) -> CommitmentResult | None:
    """Sends the request (N-ACTION).

    stay_s: how long to stay for an answer on this very association.
    Returns: the answer if it came here; None when it will come to the listener.
    Raises: PeerUnreachableError, PeerRefusedError.
    """
    request = Dataset()
    request.TransactionUID = checked_uid(transaction_uid)
    request.ReferencedSOPSequence = [_item(reference) for reference in references]
    results: queue.Queue[CommitmentResult] = queue.Queue()

    def on_event(event: evt.Event) -> tuple[int, None]:
        result = read_result(event.event_information)
        if result.transaction_uid != transaction_uid:
            return 0x0115, None  # Invalid argument value, PS3.7 C.4.2: not what we asked about
        results.put(result)
        return 0x0000, None

    contexts = [build_context(STORAGE_COMMITMENT_PUSH)]
    with open_association(peer, contexts, [(evt.EVT_N_EVENT_REPORT, on_event)]) as assoc:
        status, _ = assoc.send_n_action(
            request,
            REQUEST_COMMITMENT,
            STORAGE_COMMITMENT_PUSH,
            STORAGE_COMMITMENT_PUSH_INSTANCE,
        )
        answer_status(peer, "N-ACTION", status)
        try:
            return results.get(timeout=stay_s)
        except queue.Empty:
            return None


def read_result(event: Dataset) -> CommitmentResult:
    """The event information of one N-EVENT-REPORT, PS3.4 table J.3-2; tolerant of missing parts."""
    return CommitmentResult(
        transaction_uid=str(event.get("TransactionUID") or ""),
        committed=_uids(event, "ReferencedSOPSequence"),
        failed=_uids(event, "FailedSOPSequence"),
    )


def _uids(event: Dataset, sequence: str) -> frozenset[str]:
    items = event.get(sequence) or ()
    return frozenset(str(item.get("ReferencedSOPInstanceUID") or "") for item in items) - {""}


def _item(reference: InstanceReference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = checked_uid(reference.sop_class_uid)
    item.ReferencedSOPInstanceUID = checked_uid(reference.sop_instance_uid)
    return item
