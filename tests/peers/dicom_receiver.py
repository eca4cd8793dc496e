"""A DICOM receiver on loopback, made with pynetdicom: what a PACS sends to, or what we send to."""

import threading
import time
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEG2000,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import AE, AllStoragePresentationContexts, evt

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
    JPEG2000,
    JPEGBaseline8Bit,
]
COMMITMENT_PUSH = "1.2.840.10008.1.20.1"


@dataclass
class Receiver:
    """Takes what comes and remembers it. store_status: what every C-STORE is answered."""

    port: int
    aet: str = "RADGEN"
    store_status: int = 0x0000
    received: list[Dataset] = field(default_factory=list)
    syntaxes: list[str] = field(default_factory=list)
    commitments: list[Dataset] = field(default_factory=list)
    associations: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self):
        ae = AE(ae_title=self.aet)
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(context.abstract_syntax, SYNTAXES)
        # An archive that reports a commitment is its SCP, and we are the SCU it calls.
        ae.add_supported_context(COMMITMENT_PUSH, scu_role=False, scp_role=True)
        ae.add_supported_context("1.2.840.10008.1.1")
        ae.require_called_aet = True
        handlers = [
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_N_EVENT_REPORT, self._on_event),
            (evt.EVT_ESTABLISHED, self._on_association),
        ]
        self._server = ae.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        return self

    def __exit__(self, *_):
        self._server.shutdown()

    def wait_for(self, question, timeout_s=15.0):
        """True as soon as `question(self)` is, False when it is not in time."""
        with self.changed:
            return self.changed.wait_for(lambda: question(self), timeout_s)

    def uids(self, study_uid):
        """SOP Instance UIDs received for one study, in order, repetitions included."""
        return [d.SOPInstanceUID for d in list(self.received) if d.StudyInstanceUID == study_uid]

    def quiet_for(self, seconds, timeout_s=15.0):
        """Waits until nothing has come for `seconds`."""
        give_up = time.monotonic() + timeout_s
        count, since = len(self.received), time.monotonic()
        while time.monotonic() < give_up:
            if len(self.received) != count:
                count, since = len(self.received), time.monotonic()
            if time.monotonic() - since >= seconds:
                return True
            time.sleep(0.05)
        return False

    def _on_store(self, event):
        ds = event.dataset
        with self.changed:
            self.received.append(ds)
            self.syntaxes.append(event.context.transfer_syntax)
            self.changed.notify_all()
        return self.store_status

    def _on_event(self, event):
        with self.changed:
            self.commitments.append(event.event_information)
            self.changed.notify_all()
        return 0x0000, None

    def _on_association(self, _event):
        with self.changed:
            self.associations += 1
