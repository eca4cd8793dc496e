"""An archive on loopback that answers as it is told: stores, promises, and says what it has."""

import threading
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt

FIND, MOVE = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.2"
VERIFICATION = "1.2.840.10008.1.1"
COMMITMENT = "1.2.840.10008.1.20.1"
SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]


@dataclass
class ArchivePeer:
    """forgets: it answers every store with success and keeps nothing.

    commits: status of N-ACTION; None where it has no storage commitment at all.
    series: (study UID, series UID, modality, count or "") for C-FIND at SERIES level.
    promises_at_once: it answers a commitment on the association that asked.
    refused_moves: studies it cannot send.
    """

    port: int
    forgets: bool = False
    store_status: int = 0x0000
    commits: int | None = None
    promises_at_once: bool = False
    series: list = field(default_factory=list)
    refused_moves: tuple = ()
    stored: list[Dataset] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self):
        ae = AE("ARCHIVE")
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(context.abstract_syntax, SYNTAXES)
        for service in (VERIFICATION, FIND, MOVE):
            ae.add_supported_context(service)
        if self.commits is not None:
            ae.add_supported_context(COMMITMENT)
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_MOVE, self._move),
            (evt.EVT_N_ACTION, self._commit),
        ]
        self._server = ae.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        return self

    def __exit__(self, *_):
        self._server.shutdown()

    def _store(self, event):
        with self.lock:
            if not self.forgets:
                self.stored.append(event.dataset)
        return self.store_status

    def _commit(self, event):
        with self.lock:
            self.questions.append(str(event.action_information.TransactionUID))
        if self.promises_at_once:
            promise = (event.assoc, event.action_information)
            threading.Timer(0.05, self._promise, promise).start()
        return self.commits, None

    @staticmethod
    def _promise(assoc, asked):
        assoc.send_n_event_report(asked, 1, COMMITMENT, f"{COMMITMENT}.1")

    def _find(self, event):
        asked = event.identifier
        if asked.QueryRetrieveLevel == "IMAGE":
            uids = {ds.SOPInstanceUID for ds in self.stored} & {asked.get("SOPInstanceUID")}
            answers = [{"SOPInstanceUID": uid} for uid in uids]
        elif asked.QueryRetrieveLevel == "SERIES":
            answers = [
                {"SeriesInstanceUID": s, "Modality": m, "NumberOfSeriesRelatedInstances": n}
                for study, s, m, n in self.series
                if study == asked.StudyInstanceUID
            ]
        else:
            answers = [{"StudyInstanceUID": study} for study in {row[0] for row in self.series}]
        for values in answers:
            ds = Dataset()
            ds.QueryRetrieveLevel = asked.QueryRetrieveLevel
            for keyword, value in values.items():
                setattr(ds, keyword, value)
            yield 0xFF00, ds

    def _move(self, event):
        uid = str(event.identifier.StudyInstanceUID)
        with self.lock:
            self.moved.append(uid)
        if uid in self.refused_moves:
            yield None, None  # the destination is unknown: 0xA801
            return
        yield "127.0.0.1", self.port
        yield 0
