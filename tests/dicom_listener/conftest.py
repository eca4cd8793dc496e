"""Listeners on loopback, senders of three kinds, and images with known content."""

import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation

from dicom_listener.server import Listener
from dicom_listener.settings import ListenerSettings
from radgen.study_store.arrival import ArrivalRecord
from radgen.study_store.file_meta import read_file_head
from radgen.study_store.store import StudyStore

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"
# Quick ends for tests; sizes small so that any disk will do.
QUICK = ListenerSettings(port=0, min_free_mb=1, artim_s=5, idle_s=10, stop_s=5)


@dataclass
class Running:
    """A listener and the store behind it."""

    listener: Listener
    store: StudyStore

    @property
    def port(self) -> int:
        return self.listener.port

    def records(self) -> list[ArrivalRecord]:
        return [record for record, _ in self.store.read()]

    def kinds(self) -> list[str]:
        return [str(record.kind) for record in self.records()]

    def wait_idle(self) -> None:
        """Until no association is open."""
        wait_for(lambda: not self.listener._open)

    def files(self) -> list[Path]:
        """Everything kept but the journal."""
        root = self.store.root
        return [
            path
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.parent.name != "journal"
        ]


def wait_for(true: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a listener in this process with the given settings."""
    running = []

    def begin(**changes) -> Running:
        changes.setdefault("store", tmp_path / "store")
        listener = Listener(replace(QUICK, **changes))
        listener.start()
        running.append(listener)
        return Running(listener, StudyStore(changes["store"]))

    yield begin
    for listener in running:
        listener.stop()


@pytest.fixture
def running(start) -> Running:
    return start()


def make_ct(rows: int = 64, columns: int = 64, **elements) -> FileDataset:
    """A CT slice; pixel (r, c) is (r * columns + c) mod 2**16."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("ct", Dataset(), file_meta=meta, preamble=b"II*\0" + bytes(124))
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID = generate_uid()
    ds.SeriesInstanceUID = generate_uid()
    ds.Modality = "CT"
    ds.PatientName = "Phantom^One"
    ds.PatientID = "P1"
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = rows, columns
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.PixelData = struct.pack("<65536H", *range(65536)) * (rows * columns // 65536) + struct.pack(
        f"<{rows * columns % 65536}H", *range(rows * columns % 65536)
    )
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return ds


def sample(name: str) -> FileDataset:
    """A file that pydicom ships."""
    path = get_testdata_file(name, download=False)
    assert path is not None
    return dcmread(path)


def scu(port: int, ds: Dataset, **options):
    """An established pynetdicom association that offers `ds` in its own syntax alone."""
    ae = AE(ae_title=options.pop("calling", "MODALITY"))
    ae.add_requested_context(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID)
    return ae.associate("127.0.0.1", port, ae_title=options.pop("called", "RADGEN"), **options)


def store(port: int, *datasets: Dataset) -> list[int]:
    """Sends with pynetdicom, as the first one's class and syntax; returns the statuses."""
    assoc = scu(port, datasets[0])
    assert assoc.is_established
    statuses = [assoc.send_c_store(ds).get("Status", -1) for ds in datasets]
    assoc.release()
    return statuses


def item(kind: int, data: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(data)) + data


def element(number: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", 0, number, len(value)) + value


def us(number: int, value: int) -> bytes:
    return element(number, struct.pack("<H", value))


def store_command(sop_class: str, sop_instance: str) -> bytes:
    return (
        element(0x0002, sop_class.encode())
        + us(0x0100, 1)
        + us(0x0110, 7)
        + us(0x0700, 0)
        + us(0x0800, 1)
        + element(0x1000, sop_instance.encode())
    )


def pdv(flags: int, data: bytes, context: int = 1) -> bytes:
    return struct.pack(">IBB", len(data) + 2, context, flags) + data


def p_data(*pdvs: bytes) -> bytes:
    body = b"".join(pdvs)
    return struct.pack(">BxI", 4, len(body)) + body


def dataset_bytes(ds: FileDataset) -> bytes:
    """The dataset alone, explicit VR little endian."""
    copy = Dataset(ds)
    copy.file_meta = FileMetaDataset()
    out = BytesIO()
    dcmwrite(out, copy, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return out.getvalue()


def dataset_bytes_as_sent(ds: FileDataset) -> bytes:
    """The dataset alone, in its own transfer syntax."""
    out = BytesIO()
    ds.save_as(out)
    data = out.getvalue()
    return data[read_file_head(data).dataset_offset :]


def uid_element(group: int, number: int, uid: str) -> bytes:
    """An explicit little endian element of VR UI."""
    value = uid.encode() + b"\0" * (len(uid) % 2)
    return struct.pack("<HH2sH", group, number, b"UI", len(value)) + value


@dataclass
class RawPeer:
    """A sender that says exactly the bytes it is told to."""

    socket: socket.socket
    received: list[bytes] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_or_stop(self, data: bytes) -> bool:
        """False when the other side has gone."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self) -> tuple[int, bytes]:
        """Type and body of the next PDU, (0, b"") when the connection is closed."""
        head = self._exactly(6)
        if not head:
            return 0, b""
        kind, length = struct.unpack(">BxI", head)
        return kind, self._exactly(length)

    def status(self) -> int:
        """Status of the response that comes next."""
        kind, body = self.receive()
        assert kind == 4
        at = body.index(struct.pack("<HHI", 0, 0x0900, 2)) + 8
        return struct.unpack_from("<H", body, at)[0]

    def request(self, *, abstract: str = CT, syntaxes: tuple[str, ...] = (EXPLICIT,), **titles):
        """Sends an A-ASSOCIATE-RQ with one context; returns the answer."""
        called = titles.get("called", "RADGEN").ljust(16).encode()
        calling = titles.get("calling", "RAW").ljust(16).encode()
        context = b"\x01\0\0\0" + item(0x30, abstract.encode())
        context += b"".join(item(0x40, syntax.encode()) for syntax in syntaxes)
        user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3")
        body = struct.pack(">HH", 1, 0) + called + calling + bytes(32)
        body += item(0x10, titles.get("application", "1.2.840.10008.3.1.1.1").encode())
        body += item(0x20, context) + item(0x50, user)
        self.send(struct.pack(">BxI", 1, len(body)) + body)
        return self.receive()

    def echo(self) -> int:
        command = element(0x0002, VERIFICATION.encode()) + us(0x0100, 0x30)
        self.send(p_data(pdv(3, command + us(0x0110, 1) + us(0x0800, 0x0101))))
        return self.status()

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            try:
                piece = self.socket.recv(length - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                return b""
            data += piece
        return data


@pytest.fixture
def connect() -> Iterator[Callable[[int], RawPeer]]:
    """Connects a raw peer to a port."""
    peers = []

    def open_peer(port: int) -> RawPeer:
        peer = RawPeer(socket.create_connection(("127.0.0.1", port), timeout=10))
        peers.append(peer)
        return peer

    yield open_peer
    for peer in peers:
        peer.socket.close()


@dataclass
class Process:
    """A listener in a process of its own."""

    popen: subprocess.Popen
    port: int
    store: StudyStore
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def peak_kb(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0])

    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Runs `python -m dicom_listener` with the given options; the store is kept between runs."""
    processes = []

    def begin(*options: str, environment: dict[str, str] | None = None, before=None) -> Process:
        root = tmp_path / "store"
        log = tmp_path / f"log{len(processes)}"
        command = [sys.executable, "-m", "dicom_listener", "--port", "0", "--store", str(root)]
        with log.open("wb") as stderr:
            popen = subprocess.Popen(
                [*command, *options],
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "RADGEN_LISTENER__MIN_FREE_MB": "1", **(environment or {})},
                preexec_fn=before,  # noqa: PLW1509  sets a limit, takes no lock
            )
        processes.append(popen)
        assert popen.stdout is not None
        line = popen.stdout.readline()
        assert line, f"the listener ended at its start: {log.read_text()}"
        ready = json.loads(line)
        return Process(popen, ready["port"], StudyStore(root), log)

    yield begin
    for popen in processes:
        popen.kill()
        popen.wait()
        popen.stdout.close()


@pytest.fixture
def archive_scu() -> Callable[[int], object]:
    """An archive that associates to report a commitment, as SCP of the class (PS3.4 J.3.3)."""

    def associate(port: int):
        ae = AE(ae_title="ARCHIVE")
        ae.add_requested_context("1.2.840.10008.1.20.1")
        role = SCP_SCU_RoleSelectionNegotiation()
        role.sop_class_uid = "1.2.840.10008.1.20.1"
        role.scu_role, role.scp_role = False, True
        return ae.associate("127.0.0.1", port, ae_title="RADGEN", ext_neg=[role])

    return associate


@pytest.fixture(scope="session")
def kit():
    """What the tests of this folder build with."""
    return sys.modules[__name__]
