"""A real store with its journal, a real ledger beside it, and instances to put into the store."""

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    DigitalXRayImageStorageForPresentation,
    KeyObjectSelectionDocumentStorage,
)

from radgen.demo.phantom import part10
from radgen.demo.phantom_header import ImageKind, StudySpec, as_file, make_image, set_pixels
from radgen.ledger.ledger import Ledger
from radgen.study_store.arrival import ArrivalKind, ArrivalRecord
from radgen.study_store.commit import Durability
from radgen.study_store.store import StoreSettings, StoreWriter

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLASSES = {
    "DX": DigitalXRayImageStorageForPresentation,
    "SR": ComprehensiveSRStorage,
    "KO": KeyObjectSelectionDocumentStorage,
}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def forward(self, seconds):
        self.now += timedelta(seconds=seconds)
        return self.now


class Inbox:
    """What the listener does with a received instance, without the network."""

    def __init__(self, root, clock):
        settings = StoreSettings(durability=Durability.NONE, min_free_mb=1)
        self.root, self.clock = root, clock
        self.writer = StoreWriter(root, settings)

    def receive(self, ds, calling_ae="CT1"):
        """Stores one dataset; returns its journal record."""
        return self.receive_bytes(part10(ds), ds, calling_ae)

    def receive_bytes(self, content, ds, calling_ae="CT1"):
        record = self.record(
            ArrivalKind.INSTANCE,
            sop_instance_uid=str(ds.SOPInstanceUID),
            sop_class_uid=str(ds.SOPClassUID),
            study_uid=str(ds.StudyInstanceUID),
            series_uid=str(ds.SeriesInstanceUID),
            transfer_syntax_uid=str(ds.file_meta.TransferSyntaxUID),
            calling_ae=calling_ae,
        )
        with closing(self.writer.new_part()) as part:
            part.write([content])
            return self.writer.put(part, record)

    def note(self, kind, **fields):
        self.writer.note(self.record(kind, **fields))

    def record(self, kind, **fields):
        return ArrivalRecord(kind, self.clock().isoformat(), **fields)

    def quarantine(self, content, reason):
        with closing(self.writer.new_part()) as part:
            part.write([content])
            return self.writer.quarantine(part, self.record(ArrivalKind.QUARANTINED, reason=reason))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(tmp_path, clock):
    opened = Inbox(tmp_path / "store", clock)
    yield opened
    opened.writer.close()


@pytest.fixture
def ledger(tmp_path, clock):
    book = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", clock)
    book.migrate()
    yield book
    book.close()


@pytest.fixture
def make_instance():
    """Makes one small instance; keywords of the header may be set, None takes one away."""

    def make(number=1, key="study", modality="DX", spec=None, **changes) -> Dataset:
        import numpy as np

        spec = spec or StudySpec(key, "Zhang^San=张^三")
        ds = make_image(spec, ImageKind(CLASSES[modality], modality, "CHEST", "PA", number=number))
        if modality == "DX":
            set_pixels(ds, np.full((4, 4), number % 4096, np.uint16), 12, inverted=False)
        for keyword, value in changes.items():
            setattr(ds, keyword, value)
        return as_file(ds, spec.syntax)

    return make


@pytest.fixture
def read_back():
    return dcmread


@pytest.fixture
def wait_for():
    """Asks until the answer is true; False when it does not become so in time."""

    def wait(condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.02)
        return False

    return wait
