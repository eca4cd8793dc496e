"""The draft goes back: SRs built from it, checked, sent, confirmed."""

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from radgen.dicom.check_template import check_draft
from radgen.dicom.read_header import read_dataset
from radgen.dicom.sr_settings import SrSettings
from radgen.dicom.write_copy import write_secondary_capture
from radgen.dicom.write_header import to_bytes
from radgen.dicom.write_sr import write_draft
from radgen.domain.errors import (
    PeerRefusedError,
    StudyError,
    UnreadableInstanceError,
)
from radgen.domain.report import DraftReport
from radgen.ledger.ledger import Ledger
from radgen.pacs.commitment import InstanceReference, request_commitment
from radgen.pacs.dicomweb import has_instance_qido
from radgen.pacs.find import has_instance
from radgen.pacs.peer import Peer
from radgen.pacs.store import send

log = logging.getLogger(__name__)
COMMITMENT_WAIT_S = 10.0
LOOK_AGAIN_S = 0.1
COMMITTED, FAILED = "committed", "failed"


class BuildError(StudyError):
    """A document was built that its own template refuses: never send it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One SR, or the picture of one, as it travels. data: the part-10 file."""

    sop_class_uid: str
    sop_uid: str
    series_uid: str
    study_uid: str
    data: bytes


class ReturnDesk:
    """Builds and sends the documents of a draft to one archive."""

    def __init__(self, peer: Peer, settings: SrSettings) -> None:
        self.peer = peer
        self._settings = settings

    def build(self, report: DraftReport, sources: Sequence[Path]) -> tuple[Document, ...]:
        """As `build_documents`, with this site's settings."""
        return build_documents(report, sources, self._settings)

    def send(self, documents: Sequence[Document]) -> tuple[str, str]:
        """Stores the documents. Returns: peer and its answer. Raises: PeerError."""
        warnings = send(self.peer, [document.data for document in documents])
        status = f"0x{warnings[0].status:04X}" if warnings else "0x0000"
        return self.peer.name, status

    def confirm(
        self, documents: Sequence[Document], ledger: Ledger, key: tuple[str, int], attempt: int
    ) -> str:
        """Makes sure that the archive keeps the documents.

        Storage commitment where the archive offers it; where it does not, or does not answer in
        time, it is asked what it has.
        Returns: "commitment", "c-find" or "qido". Raises: PeerError while it is not sure.
        """
        if self.peer.commitment and self._is_committed(documents, ledger, key, attempt):
            return "commitment"
        return self._look(documents)

    def _is_committed(
        self, documents: Sequence[Document], ledger: Ledger, key: tuple[str, int], attempt: int
    ) -> bool:
        """True if the archive promised; False if it does not offer it or is silent.

        Raises: PeerRefusedError if it says that it does not keep them, PeerUnreachableError.
        """
        uid = transaction_uid(documents, attempt)
        # Asked again while there is no answer: a crash may have come before the question was sent.
        ledger.ask_commitment(*key, uid, [document.sop_uid for document in documents])
        if _answer(ledger, uid) is None and not self._ask(uid, documents, ledger):
            return False
        give_up = time.monotonic() + COMMITMENT_WAIT_S
        while (event := _answer(ledger, uid)) is None and time.monotonic() < give_up:
            time.sleep(LOOK_AGAIN_S)
        if event == FAILED:
            raise PeerRefusedError(f"peer {self.peer.name} does not keep the draft")
        return event == COMMITTED

    def _ask(self, uid: str, documents: Sequence[Document], ledger: Ledger) -> bool:
        """Sends the request. False if the archive does not offer storage commitment."""
        references = [InstanceReference(each.sop_class_uid, each.sop_uid) for each in documents]
        try:
            result = request_commitment(self.peer, uid, references)
        except PeerRefusedError:
            log.info("no storage commitment, asking by query", extra={"peer": self.peer.name})
            return False
        if result is not None:
            ledger.answer_commitment(uid, FAILED if result.failed else COMMITTED)
        return True

    def _look(self, documents: Sequence[Document]) -> str:
        """Asks for every document by its UIDs. Raises: PeerRefusedError if one is not there."""
        ask, method = (
            (has_instance_qido, "qido") if self.peer.dicomweb_url else (has_instance, "c-find")
        )
        for each in documents:
            if not ask(self.peer, each.study_uid, each.series_uid, each.sop_uid):
                raise PeerRefusedError(f"peer {self.peer.name} does not have the draft")
        return method


def build_documents(
    report: DraftReport, sources: Sequence[Path], settings: SrSettings
) -> tuple[Document, ...]:
    """The documents of a draft: always the same bytes for the same draft.

    sources: instances of the study; the first that can be read lends patient and study.
    Raises: BuildError naming the broken rule, UnreadableInstanceError if no source can be read,
        ConfigurationError if a picture is asked for and there is no font to draw it with.
    """
    source = first_readable(sources)
    datasets = write_draft(report, source, report.structure.images, settings)
    documents = [_checked(dataset) for dataset in datasets]
    if settings.picture_copy:
        documents.append(_document(write_secondary_capture(report, source, settings)))
    return tuple(documents)


def _answer(ledger: Ledger, uid: str) -> str | None:
    row = ledger.commitment(uid)
    return None if row is None else row.event


def transaction_uid(documents: Sequence[Document], attempt: int) -> str:
    """The same question has the same UID, so that asking again after a crash is one question."""
    name = " ".join([f"commitment {attempt}", *(document.sop_uid for document in documents)])
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, name).int}"


def first_readable(sources: Sequence[Path]) -> Dataset:
    """Header of the first file that can be read. Raises: UnreadableInstanceError if none can."""
    for path in sources:
        try:
            return read_dataset(path)
        except UnreadableInstanceError:
            continue
    raise UnreadableInstanceError("no instance of the study has a readable header")


def _checked(dataset: Dataset) -> Document:
    faults = check_draft(dataset)
    if faults:
        raise BuildError(f"the document breaks its template: {faults[0]}")
    return _document(dataset)


def _document(dataset: Dataset) -> Document:
    return Document(
        sop_class_uid=str(dataset.SOPClassUID),
        sop_uid=str(dataset.SOPInstanceUID),
        series_uid=str(dataset.SeriesInstanceUID),
        study_uid=str(dataset.StudyInstanceUID),
        data=to_bytes(dataset),
    )
