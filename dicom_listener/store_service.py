"""C-STORE: from the command to the status (PS3.4 annex B.2), one object for each association."""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dicom_listener.command_set import (
    CANNOT_UNDERSTAND,
    DATASET_MISMATCH,
    OUT_OF_RESOURCES,
    SUCCESS,
    Command,
)
from dicom_listener.negotiation import Context
from dicom_listener.sinks import DiscardSink, FileSink, Sink
from radgen.domain.errors import StoreError, UnreadableInstanceError
from radgen.study_store.arrival import ArrivalKind, ArrivalRecord
from radgen.study_store.file_meta import build_file_head
from radgen.study_store.header_walk import InstanceUids, is_valid_uid
from radgen.study_store.identify import identify
from radgen.study_store.store import StoreWriter

log = logging.getLogger(__name__)
# An association that touches more studies than this shortens no timer for the rest.
_MAX_STUDIES = 1024


@dataclass(frozen=True, slots=True)
class Party:
    """Who talks to whom on one association; number: what logs call it."""

    number: int
    calling_ae: str = ""
    called_ae: str = ""
    peer_address: str = ""

    def record(self, kind: ArrivalKind) -> ArrivalRecord:
        """A record of this association, made now."""
        return ArrivalRecord(
            kind,
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            calling_ae=self.calling_ae,
            called_ae=self.called_ae,
            peer_address=self.peer_address,
        )


class StoreService:
    """Receives instances of one association. counts: how many of each kind were stored."""

    def __init__(self, writer: StoreWriter, party: Party, max_dataset_bytes: int) -> None:
        self._writer = writer
        self._party = party
        self._max_dataset_bytes = max_dataset_bytes
        self._studies: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.stored_bytes = 0

    def begin(self, command: Command, context: Context) -> Sink:
        """Where the dataset of `command` goes."""
        if not command.has_dataset:
            return DiscardSink(CANNOT_UNDERSTAND)
        try:
            part = self._writer.new_part()
        except StoreError as error:
            self._warn("store refused", str(error))
            return DiscardSink(OUT_OF_RESOURCES)
        head = build_file_head(
            _valid(command.affected_class),
            _valid(command.affected_instance),
            context.transfer_syntax_uid,
        )
        return FileSink(part, head, self._max_dataset_bytes)

    def finish(self, sink: Sink, command: Command, context: Context) -> int:
        """Files what arrived; returns the status. 0x0000 means that it is durable."""
        sink.flush()
        if not isinstance(sink, FileSink) or sink.failure:
            self.counts["refused"] += 1
            if isinstance(sink, FileSink):
                self._warn("dataset not stored", sink.reason)
            return sink.failure
        record = replace(
            self._party.record(ArrivalKind.INSTANCE),
            transfer_syntax_uid=context.transfer_syntax_uid,
        )
        try:
            return self._file(sink, record, command, context)
        except StoreError as error:
            self.counts["refused"] += 1
            self._warn("dataset not stored", str(error))
            return OUT_OF_RESOURCES

    def end(self) -> None:
        """Tells which studies the released association touched. Raises: StoreError."""
        for study_uid, instances in self._studies.items():
            record = self._party.record(ArrivalKind.ASSOCIATION_ENDED)
            self._writer.note(replace(record, study_uid=study_uid, detail={"instances": instances}))

    def _file(
        self, sink: FileSink, record: ArrivalRecord, command: Command, context: Context
    ) -> int:
        try:
            uids = identify(sink.part, sink.start, context.transfer_syntax_uid, sink.head)
        except UnreadableInstanceError as error:
            return self._quarantine(sink, record, command, (CANNOT_UNDERSTAND, str(error)))
        if fault := _mismatch(uids, command, context):
            return self._quarantine(sink, record, command, (DATASET_MISMATCH, fault))
        filed = self._writer.put(
            sink.part,
            replace(
                record,
                sop_instance_uid=uids.sop_instance_uid,
                sop_class_uid=uids.sop_class_uid,
                study_uid=uids.study_uid,
                series_uid=uids.series_uid,
            ),
        )
        self._count(filed)
        return SUCCESS

    def _count(self, filed: ArrivalRecord) -> None:
        self.counts[filed.kind] += 1
        self.stored_bytes += filed.size
        if filed.study_uid in self._studies or len(self._studies) < _MAX_STUDIES:
            self._studies[filed.study_uid] += 1
        if filed.kind is ArrivalKind.CONFLICT:
            self._warn("conflict", "other bytes under a known SOP Instance UID; both are kept")

    def _quarantine(
        self,
        sink: FileSink,
        record: ArrivalRecord,
        command: Command,
        fault: tuple[int, str],
    ) -> int:
        status, reason = fault
        claimed = {
            "claimed_class": command.affected_class[:128],
            "claimed_instance": command.affected_instance[:128],
            "status": status,
        }
        self._writer.quarantine(sink.part, replace(record, reason=reason, detail=claimed))
        self.counts[ArrivalKind.QUARANTINED] += 1
        self._warn("quarantined", reason)
        return status

    def _warn(self, event: str, reason: str) -> None:
        log.warning(event, extra={"association": self._party.number, "reason": reason})


def _valid(uid: str) -> str:
    return uid if is_valid_uid(uid) else ""


def _mismatch(uids: InstanceUids, command: Command, context: Context) -> str:
    """How dataset, command and context disagree, "" if they agree."""
    if uids.sop_class_uid != command.affected_class:
        return "SOP class of the dataset is not that of the command"
    if uids.sop_instance_uid != command.affected_instance:
        return "SOP instance of the dataset is not that of the command"
    if uids.sop_class_uid != context.sop_class_uid:
        return "SOP class of the dataset is not that of the presentation context"
    return ""
