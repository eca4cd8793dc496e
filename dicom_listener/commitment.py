"""N-EVENT-REPORT of Storage Commitment (PS3.4 J.3.3): the archive says what it will answer for."""

import io
from dataclasses import replace

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from dicom_listener.command_set import (
    NO_SUCH_EVENT_TYPE,
    PROCESSING_FAILURE,
    SOP_CLASS_NOT_SUPPORTED,
    SUCCESS,
    Command,
)
from dicom_listener.negotiation import Context
from dicom_listener.sinks import DiscardSink, MemorySink, Sink
from dicom_listener.sop_classes import STORAGE_COMMITMENT
from dicom_listener.store_service import Party
from radgen.domain.errors import StoreError, UnreadableInstanceError
from radgen.study_store.arrival import (
    ArrivalKind,
    CommitmentResult,
    FailedCommitment,
    detail_of,
)
from radgen.study_store.header_walk import (
    EXPLICIT_BIG_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    is_valid_uid,
)
from radgen.study_store.store import StoreWriter


def begin_event(command: Command, context: Context, max_bytes: int) -> Sink:
    """Where the dataset of an N-EVENT-REPORT goes; a refusing sink where we know no such event."""
    if context.sop_class_uid != STORAGE_COMMITMENT:
        return DiscardSink(SOP_CLASS_NOT_SUPPORTED)
    if command.event_type not in {1, 2} or not command.has_dataset:
        return DiscardSink(NO_SUCH_EVENT_TYPE)
    return MemorySink(max_bytes)


def finish_event(
    sink: Sink, command: Command, context: Context, writer: StoreWriter, party: Party
) -> int:
    """Writes the record; returns the status. 0x0000 means that the record is durable."""
    if not isinstance(sink, MemorySink) or sink.failure:
        return sink.failure
    try:
        result = parse_event(bytes(sink.data), context.transfer_syntax_uid, command.event_type)
        record = party.record(ArrivalKind.COMMITMENT)
        writer.note(replace(record, detail=detail_of(result)))
    except (UnreadableInstanceError, StoreError):
        return PROCESSING_FAILURE
    return SUCCESS


def parse_event(data: bytes, transfer_syntax_uid: str, event_type: int) -> CommitmentResult:
    """Reads the event information (PS3.4 table J.3-2).

    Raises: UnreadableInstanceError if it is no dataset, or a UID in it is none.
    """
    try:
        dataset = read_dataset(
            io.BytesIO(data),
            transfer_syntax_uid == IMPLICIT_LITTLE_ENDIAN,
            transfer_syntax_uid != EXPLICIT_BIG_ENDIAN,
        )
        result = CommitmentResult(
            transaction_uid=str(dataset.TransactionUID),
            event_type=event_type,
            committed=tuple(map(_uid, _items(dataset, "ReferencedSOPSequence"))),
            failed=tuple(
                FailedCommitment(_uid(item), int(item.get("FailureReason", 0)))
                for item in _items(dataset, "FailedSOPSequence")
            ),
        )
    except Exception as error:  # hostile bytes: whatever the parser raises means the same
        raise UnreadableInstanceError("event information cannot be read") from error
    named = (result.transaction_uid, *result.committed)
    if not all(map(is_valid_uid, (*named, *(one.sop_instance_uid for one in result.failed)))):
        raise UnreadableInstanceError("event information holds no valid UID")
    return result


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    return list(dataset.get(keyword) or [])


def _uid(item: Dataset) -> str:
    return str(item.ReferencedSOPInstanceUID)
