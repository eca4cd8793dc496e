"""Studies in a real ledger, real packs, an engine that says what it is told, an archive."""

import importlib.util
import sys
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from models.pack import PACKS, load_pack
from radgen.demo.phantom import phantom_study
from radgen.dicom.read_header import read_header
from radgen.dicom.sr_settings import SrSettings
from radgen.drafting.engine import Reading
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Arrival, ArrivalKind
from radgen.pacs.peer import Peer
from radgen.pipeline.reading import ReadingRoom
from radgen.pipeline.returning import ReturnDesk
from radgen.pipeline.steps import StudySteps

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEVICE = "2.25.7"


class Told:
    """An engine that answers with these scores; `fault` is raised instead where it is set."""

    name = "told"

    def __init__(self, pack):
        self.pack, self.fault, self.score, self.reads = pack, None, 9.0, 0

    def read(self, _image, _max_tokens, _deadline_s):
        self.reads += 1
        if self.fault:
            raise self.fault
        labels, gate = self.pack.labels, self.pack.gate
        logits = np.full(len(labels), self.score, np.float32)
        kinds = np.array([20.0 * (kind == gate.accepted) for kind in gate.kinds], np.float32)
        evidence = np.zeros((len(labels), 9, 9), np.float32)
        return Reading(logits, evidence, kinds, "")

    def healthy(self):
        return True

    def close(self):
        pass


class Clock:
    """A clock that goes on by a minute each time it is read."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        self.now += timedelta(minutes=1)
        return self.now


@lru_cache
def phantom(name):
    return phantom_study(name)


@pytest.fixture(scope="session")
def phantom_files(tmp_path_factory):
    """Paths of a phantom study by its name."""
    folder = tmp_path_factory.mktemp("phantoms")
    return lru_cache(lambda name: phantom(name).write_study(folder / name))


@pytest.fixture(scope="session")
def packs():
    return {name: load_pack(PACKS / name) for name in ("cxr-adult", "ct-chest-quant")}


@pytest.fixture
def engine(packs):
    return Told(packs["cxr-adult"])


@pytest.fixture
def room(engine, packs):
    return ReadingRoom(engine, packs)


@pytest.fixture
def ledger(tmp_path):
    book = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", lambda: NOON)
    book.migrate()
    yield book
    book.close()


@pytest.fixture
def file_study(ledger):
    """Takes files in as the next version of their study, and completes it; returns its key."""

    def take(paths, missing=0):
        arrivals = [_arrival(read_header(path)) for path in paths]
        ledger.take_in(arrivals, "1:0")
        uid = arrivals[0].study_uid
        version = ledger.study_detail(uid).study.version
        assert ledger.complete(uid, version, "all here", missing)
        return uid, version

    return take


def _arrival(header):
    return Arrival(
        sop_uid=header.sop_instance_uid,
        study_uid=header.study_uid,
        series_uid=header.series_uid,
        sop_class_uid=header.sop_class_uid,
        transfer_syntax_uid=header.transfer_syntax_uid,
        modality=header.modality,
        path=str(header.path),
        kind=ArrivalKind.STORED,
        received_at=NOON,
        calling_ae="CT1",
        size=1,
    )


@pytest.fixture(scope="session")
def archive_peer():
    """tests/radgen/pipeline/archive_peer.py"""
    path = Path(__file__).with_name("archive_peer.py")
    spec = importlib.util.spec_from_file_location("tests_archive_peer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.ArchivePeer


@pytest.fixture
def open_archive(archive_peer, free_port):
    """Starts an archive that answers as told; ends it with the test."""
    opened = []

    def start(**told):
        opened.append(archive_peer(free_port, **told).__enter__())
        return opened[0]

    yield start
    for each in opened:
        each.__exit__()


@pytest.fixture
def peer(free_port):
    """The peer at the port where `open_archive` starts; nobody is there before."""
    return Peer(
        "archive",
        "ARCHIVE",
        "127.0.0.1",
        free_port,
        connect_timeout_s=2.0,
        response_timeout_s=2.0,
        total_timeout_s=10.0,
        commitment=False,
    )


@pytest.fixture
def settings():
    return SrSettings(DEVICE)


@pytest.fixture
def desk(peer, settings):
    return ReturnDesk(peer, settings)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(ledger, room, desk, clock):
    return StudySteps(ledger, Path("/"), room, desk, clock)
