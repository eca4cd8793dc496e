"""Sends instances to a peer, each in the transfer syntax it has."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.status import STATUS_WARNING, code_to_category

from radgen.domain.errors import (
    PeerRefusedError,
    PeerUnreachableError,
    UnreadableInstanceError,
)
from radgen.pacs.association import answer_status, open_association
from radgen.pacs.peer import Peer

log = logging.getLogger(__name__)

Sendable = Dataset | Path | bytes

# 0x0111 Duplicate SOP Instance (PS3.7 C.5.5): the peer has it already, which is what we want.
DUPLICATE = 0x0111
_UNCOMPRESSED = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


@dataclass(frozen=True, slots=True)
class StoreWarning:
    """The peer stored an instance but not as it was sent.

    position: index of the instance in the call. status: 0xBxxx, PS3.4 B.2.3.
    """

    position: int
    status: int


def send(peer: Peer, instances: Sequence[Sendable]) -> tuple[StoreWarning, ...]:
    """Stores all instances at the peer over one association; safe to repeat.

    instances: datasets with file meta, part-10 files, or the bytes of part-10 files.
    Returns: one entry per instance that was stored with a warning.
    Raises: PeerUnreachableError, PeerRefusedError at the first instance that fails (those before
        it are stored); UnreadableInstanceError when an instance is no DICOM object.
    """
    contexts = _contexts(_kind(instance) for instance in instances)
    warnings = []
    with open_association(peer, contexts) as assoc:
        for position, instance in enumerate(instances):
            status = _send_one(peer, assoc, _whole(instance))
            if code_to_category(status) == STATUS_WARNING and status != DUPLICATE:
                warnings.append(StoreWarning(position, status))
                log.warning("stored with a warning", extra={"peer": peer.name, "status": status})
    return tuple(warnings)


def _send_one(peer: Peer, assoc: Association, ds: Dataset) -> int:
    if not assoc.is_established:
        raise PeerUnreachableError(f"peer {peer.name} ended the association")
    if not any(_carries(context, ds) for context in assoc.accepted_contexts):
        raise PeerRefusedError(f"peer {peer.name} does not take this SOP class or transfer syntax")
    try:
        answer = assoc.send_c_store(ds)
    except (AttributeError, ValueError) as error:
        raise UnreadableInstanceError("an instance to be sent cannot be encoded") from error
    if answer.get("Status") == DUPLICATE:
        return DUPLICATE
    return answer_status(peer, "C-STORE", answer)


def _carries(context: PresentationContext, ds: Dataset) -> bool:
    """True where `ds` can travel in an accepted context: pynetdicom converts VR, never pixels."""
    accepted, own = context.transfer_syntax[0], UID(ds.file_meta.TransferSyntaxUID)
    return context.abstract_syntax == ds.SOPClassUID and (
        accepted == own or (accepted in _UNCOMPRESSED and own in _UNCOMPRESSED)
    )


def _contexts(kinds: Iterable[tuple[UID, UID]]) -> list[PresentationContext]:
    """One context per SOP class and transfer syntax that is really sent, in order of first use.

    One syntax each: given the choice in one context, archives take the one they like, and bytes
    would change although they accept both.
    """
    wanted: dict[tuple[UID, UID], None] = {}
    for sop_class, syntax in kinds:
        fallback = _UNCOMPRESSED if syntax in _UNCOMPRESSED else ()
        wanted.update(dict.fromkeys((sop_class, offer) for offer in (syntax, *fallback)))
    return [build_context(sop_class, syntax) for sop_class, syntax in wanted]


def _kind(instance: Sendable) -> tuple[UID, UID]:
    """SOP class and transfer syntax; reads no more of a file than that."""
    try:
        if isinstance(instance, Dataset):
            return UID(instance.SOPClassUID), UID(instance.file_meta.TransferSyntaxUID)
        source = BytesIO(instance) if isinstance(instance, bytes) else instance
        head = dcmread(source, stop_before_pixels=True, specific_tags=["SOPClassUID"])
        return UID(head.SOPClassUID), UID(head.file_meta.TransferSyntaxUID)
    except (InvalidDicomError, AttributeError, EOFError) as error:
        raise UnreadableInstanceError("an instance to be sent is no DICOM object") from error


def _whole(instance: Sendable) -> Dataset:
    if isinstance(instance, Dataset):
        return instance
    return dcmread(BytesIO(instance) if isinstance(instance, bytes) else instance)
