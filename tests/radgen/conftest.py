"""A DICOM receiver and free ports, for every room that talks to a peer."""

import importlib.util
import socket
import sys
from pathlib import Path

import pytest

PEERS = Path(__file__).resolve().parents[1] / "peers"


@pytest.fixture(scope="session")
def receiver_class():
    path = PEERS / "dicom_receiver.py"
    spec = importlib.util.spec_from_file_location("tests_peers_dicom_receiver", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.Receiver


@pytest.fixture(scope="session")
def ports():
    """A function that gives a free port of loopback, each time another one."""
    given = set()

    def port():
        for _ in range(100):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                number = probe.getsockname()[1]
            if number not in given:
                given.add(number)
                return number
        raise RuntimeError("no free port")

    return port
