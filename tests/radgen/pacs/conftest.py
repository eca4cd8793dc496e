import itertools
import uuid

import numpy as np
import pytest

from radgen.demo.orthanc import ArchiveSettings, OrthancServer, find_orthanc
from radgen.demo.phantom_header import StudySpec
from radgen.demo.phantom_kinds import dx_film
from radgen.pacs.peer import Peer


@pytest.fixture
def receiver(receiver_class, ports):
    with receiver_class(ports()) as running:
        yield running


@pytest.fixture
def peer_of():
    """The peer for a server at one port, with short deadlines."""

    def make(port, aet="RADGEN", **changes):
        short = {"connect_timeout_s": 1.0, "response_timeout_s": 1.0, "total_timeout_s": 3.0}
        return Peer("test", aet, "127.0.0.1", port, **(short | changes))

    return make


@pytest.fixture
def small_study():
    """A function that makes a new study of small films, one series."""

    def make(films=1, **spec):
        key = str(uuid.uuid4())
        made = StudySpec(key, **({"patient_name": "Zhang^San=张^三"} | spec))
        counter = itertools.count(1)
        pixels = (np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)) % 4096
        return [
            dx_film(made, pixels, 0.4, ("CHEST", "PA"), number=next(counter)) for _ in range(films)
        ]

    return make


@pytest.fixture(scope="session")
def archive_and_listener(receiver_class, ports, tmp_path_factory):
    """A real Orthanc and the receiver that it sends to."""
    if find_orthanc() is None:
        pytest.skip("Orthanc is not installed")
    with receiver_class(ports()) as listener:
        settings = ArchiveSettings(
            tmp_path_factory.mktemp("orthanc"),
            ports(),
            ports(),
            listener_port=listener.port,
            stable_age_s=1,
        )
        with OrthancServer(settings) as archive:
            yield archive, listener
