"""Puts a DICOM file into the store by the same path as one that came over the network."""

from datetime import UTC, datetime
from pathlib import Path

from radgen.domain.errors import StoreError, UnreadableInstanceError
from radgen.study_store.arrival import ArrivalKind, ArrivalRecord
from radgen.study_store.file_meta import FileMeta, build_file_head, read_file_head
from radgen.study_store.header_walk import HEAD_BYTES, InstanceUids, is_valid_uid
from radgen.study_store.identify import identify
from radgen.study_store.part import Part
from radgen.study_store.store import StoreWriter

_DEFLATED = "1.2.840.10008.1.2.1.99"
_COPY_BYTES = 1024 * 1024


def import_file(writer: StoreWriter, path: Path) -> ArrivalRecord:
    """Stores the instance in `path` (PS3.10); returns the record as it stands in the journal.

    Raises: UnreadableInstanceError if it is no DICOM file, is damaged, or is deflated; StoreError
        if the disk refuses.
    """
    part = writer.new_part()
    try:
        meta, uids = _copy(path, part)
        record = ArrivalRecord(
            ArrivalKind.INSTANCE,
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            sop_instance_uid=uids.sop_instance_uid,
            sop_class_uid=uids.sop_class_uid,
            study_uid=uids.study_uid,
            series_uid=uids.series_uid,
            transfer_syntax_uid=meta.transfer_syntax_uid,
            detail={"imported": True},
        )
        return writer.put(part, record)
    except OSError as error:
        raise StoreError(f"file cannot be imported: {error.strerror}") from error
    finally:
        part.close()


def _copy(path: Path, part: Part) -> tuple[FileMeta, InstanceUids]:
    with path.open("rb") as source:
        meta = read_file_head(source.read(HEAD_BYTES))
        _check(meta)
        head = build_file_head(meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid)
        part.write((head,))
        source.seek(meta.dataset_offset)
        while block := source.read(_COPY_BYTES):
            part.write((block,))
    uids = identify(part, len(head), meta.transfer_syntax_uid)
    if (uids.sop_class_uid, uids.sop_instance_uid) != (meta.sop_class_uid, meta.sop_instance_uid):
        raise UnreadableInstanceError("file meta information names another instance")
    return meta, uids


def _check(meta: FileMeta) -> None:
    if not all(map(is_valid_uid, (meta.sop_class_uid, meta.sop_instance_uid))):
        raise UnreadableInstanceError("file meta information lacks a valid UID")
    if not is_valid_uid(meta.transfer_syntax_uid) or meta.transfer_syntax_uid == _DEFLATED:
        raise UnreadableInstanceError("transfer syntax is not accepted")
