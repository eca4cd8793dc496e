"""A ledger with one drafted radiograph in a real store, and the page over both."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from radgen.compose.compose import compose
from radgen.domain.finding import (
    Box,
    Certainty,
    Finding,
    FindingStructure,
    ImageEvidence,
    PackIdentity,
    Presence,
    Side,
    Source,
)
from radgen.domain.report import DraftReport
from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Arrival, ArrivalKind, StudyFacts
from radgen.review.app import create_app
from radgen.review.settings import ReviewSettings

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STUDY, SERIES, SOP = "1.2.3", "1.2.3.1", "1.2.3.1.1"
DX_CLASS = "1.2.840.10008.5.1.4.1.1.1.1"
HOSTILE_NAME = "<script>alert(1)</script>\u202egnp.exe"


def write_radiograph(path, rows=120, columns=100, orientation=None):
    """A grey ramp as a DX image."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = DX_CLASS, SOP
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, SERIES
    ds.Modality, ds.Rows, ds.Columns = "DX", rows, columns
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ramp = np.linspace(0, 255, columns, dtype=np.uint8)
    ds.PixelData = np.tile(ramp, (rows, 1)).tobytes()
    if orientation:
        ds.ImageOrientationPatient = orientation
    ds.save_as(path, enforce_file_format=True)


def make_report():
    image = ImageEvidence(DX_CLASS, SOP, SERIES)
    region = ImageEvidence(DX_CLASS, SOP, SERIES, box=Box(10, 60, 40, 110))
    findings = (
        Finding(
            "pleural-effusion",
            Presence.PRESENT,
            Source.CLASSIFIER,
            Certainty.PROBABLE,
            Side.RIGHT,
            probability=0.87,
            evidence=(region,),
        ),
        Finding(
            "pneumothorax", Presence.ABSENT, Source.CLASSIFIER, probability=0.03, evidence=(image,)
        ),
        Finding("consolidation", Presence.NOT_ASSESSED, Source.RULE, reason="no-model"),
    )
    structure = FindingStructure(
        "DX", "CHEST", PackIdentity("cxr", "1.0.0", "ab" * 32), findings, images=(image,)
    )
    return DraftReport(STUDY, 1, NOON, structure, compose(structure))


def arrival(sop_uid=SOP, study_uid=STUDY, **fields):
    values = {
        "series_uid": SERIES,
        "sop_class_uid": DX_CLASS,
        "transfer_syntax_uid": str(ExplicitVRLittleEndian),
        "modality": "DX",
        "path": f"{sop_uid}.dcm",
        "kind": ArrivalKind.STORED,
        "received_at": NOON,
        "calling_ae": "DX1",
        "size": 1,
    }
    return Arrival(sop_uid=sop_uid, study_uid=study_uid, **(values | fields))


def walk(ledger, clock, *states):
    for before, after in pairwise(states):
        clock.now += timedelta(seconds=2)
        assert ledger.move(STUDY, 1, [before], after)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture
def ledger(url, clock):
    book = Ledger(url, clock)
    book.migrate()
    yield book
    book.close()


@pytest.fixture
def report():
    return make_report()


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    write_radiograph(folder / f"{SOP}.dcm")
    return folder


@pytest.fixture
def write_image():
    return write_radiograph


@pytest.fixture
def drafted(ledger, clock, report):
    """The ledger after one study went the whole way."""
    facts = StudyFacts("Zhang^San=张^三", "P77", "19640512", "M", "ACC-1", "20261123", "CHEST")
    ledger.take_in([arrival(facts=facts)], "1")
    ledger.complete(STUDY, 1, "quiet for 60 s; the archive gave no count", None)
    walk(ledger, clock, VersionState.COMPLETE, VersionState.DRAFTING)
    ledger.record_draft(report, "in-process", ["2.25.1"])
    ledger.record_event(STUDY, 1, "read", {"left_out": [["1.2.3.9", "lateral-view"]]})
    walk(
        ledger,
        clock,
        VersionState.DRAFTING,
        VersionState.DRAFTED,
        VersionState.RETURNED,
        VersionState.CONFIRMED,
    )
    return ledger


@pytest.fixture
def page(ledger, store, clock):
    """A client of the page; the ledger is empty unless `drafted` is asked for too."""
    app = create_app(ReviewSettings(), ledger, store, clock)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def take(ledger):
    """Takes one image of another study in."""

    def take(study_uid, **fields):
        ledger.take_in([arrival(f"{study_uid}.1", study_uid, **fields)], study_uid)

    return take
