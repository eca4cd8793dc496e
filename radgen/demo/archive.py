"""The archive of the demonstration: Orthanc where it is installed, else a small one of our own.

The small one is pynetdicom's `qrscp` application as a child process, plus a thread that does what
the Lua script does in Orthanc: sends a study when it has stopped growing. It has no DICOMweb and no
storage commitment.
"""

import importlib.util
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from radgen.demo.orthanc import ArchiveSettings, OrthancServer, find_orthanc
from radgen.domain.errors import (
    ConfigurationError,
    PeerError,
    PeerRefusedError,
    PeerUnreachableError,
)
from radgen.domain.study import NO_IMAGE_MODALITIES
from radgen.pacs.echo import echo
from radgen.pacs.peer import Peer
from radgen.pacs.retrieve import move_series
from radgen.pacs.store import send
from radgen.pacs.uids import checked_uid

log = logging.getLogger(__name__)


class DemoArchive(Protocol):
    """What both archives can do. kind: what to call it on the screen."""

    kind: str
    settings: ArchiveSettings

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def peer(self, our_aet: str | None = None) -> Peer:
        """This archive as a peer of ours."""
        ...

    def upload(self, content: bytes) -> None:
        """Stores one part-10 file. Raises: PeerError."""
        ...

    def fetch(self, sop_instance_uid: str) -> bytes:
        """One instance as part-10 file. Raises: PeerRefusedError when it is not there."""
        ...


def demo_archive(
    settings: ArchiveSettings, progress: Callable[[str], None] = lambda _: None
) -> DemoArchive:
    """The best archive this machine can run, not started yet; `progress` is told which."""
    if find_orthanc() is not None:
        return OrthancServer(settings, progress)
    progress("Orthanc is not installed: using the small archive (no DICOMweb, no commitment)")
    return SmallArchive(settings, progress)


@dataclass(slots=True)
class _Seen:
    """What the forwarder knows of one study.

    images: images by series. since: when the study last grew. routed: images when last sent.
    not_before: when to try again after a failure. Times are of the monotonic clock, seconds.
    """

    images: dict[str, int] = field(default_factory=dict)
    since: float = 0.0
    routed: int = 0
    not_before: float = 0.0


class _Forwarder:
    """Has the archive send each study to the listener when it has stopped growing.

    It looks at the folder where `qrscp` keeps its instances, which costs less than asking.
    """

    def __init__(self, settings: ArchiveSettings, peer: Peer) -> None:
        self._settings = settings
        self._peer = peer
        self._folder = settings.folder / "instances"
        self._known: set[str] = set()
        self._studies: dict[str, _Seen] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits until a transfer under way is over."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(0.25):
            self._look()
            for study_uid, seen in self._studies.items():
                now = time.monotonic()
                due = max(seen.since + self._settings.stable_age_s, seen.not_before)
                if sum(seen.images.values()) != seen.routed and now >= due:
                    self._send(study_uid, seen)

    def _look(self) -> None:
        """Takes in the files that are new since the last look."""
        for path in self._folder.iterdir():
            if path.name in self._known:
                continue
            head = _head(path)
            if head is None:
                continue  # still being written: the next look will find it
            self._known.add(path.name)
            seen = self._studies.setdefault(str(head.StudyInstanceUID), _Seen())
            seen.since = time.monotonic()
            # A study that grows by a report or its like is not sent again.
            if head.Modality not in NO_IMAGE_MODALITIES:
                series_uid = str(head.SeriesInstanceUID)
                seen.images[series_uid] = seen.images.get(series_uid, 0) + 1

    def _send(self, study_uid: str, seen: _Seen) -> None:
        count = sum(seen.images.values())
        try:
            for series_uid in seen.images:
                if self._stopping.is_set():
                    return
                move_series(self._peer, study_uid, series_uid, self._settings.listener_aet)
            seen.routed = count
        except PeerError as error:
            # The listener may start later than the archive.
            log.warning("forwarding failed", extra={"error": type(error).__name__})
            seen.not_before = time.monotonic() + 5.0


def _head(path: Path) -> Dataset | None:
    """The three keys that routing needs, None where the file has not all of them yet."""
    keys = ("StudyInstanceUID", "SeriesInstanceUID", "Modality")
    try:
        head = dcmread(path, stop_before_pixels=True, specific_tags=list(keys))
    except (InvalidDicomError, EOFError, OSError):
        return None
    return head if all(key in head for key in keys) else None


class SmallArchive:
    """`qrscp` and a forwarder, started by `with` and gone at its end.

    Raises: PeerUnreachableError when it does not start.
    """

    kind = "small archive (pynetdicom qrscp)"

    def __init__(
        self, settings: ArchiveSettings, progress: Callable[[str], None] = lambda _: None
    ) -> None:
        self.settings = settings
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._forwarder = _Forwarder(settings, self.peer())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def peer(self, our_aet: str | None = None) -> Peer:
        """This archive as a peer of ours."""
        return Peer(
            name="archive",
            aet=self.settings.aet,
            host="127.0.0.1",
            port=self.settings.dicom_port,
            our_aet=our_aet or self.settings.listener_aet,
            commitment=False,
        )

    def start(self, timeout_s: float = 30.0) -> None:
        """Starts the program and the forwarder, and waits until it answers."""
        # The application keeps its index with SQLAlchemy, which pynetdicom itself does not need.
        if importlib.util.find_spec("sqlalchemy") is None:
            raise ConfigurationError("the small archive needs sqlalchemy: install radgen[engine]")
        folder = self.settings.folder
        (folder / "instances").mkdir(parents=True, exist_ok=True)
        config = folder / "qrscp.ini"
        config.write_text(_configuration(self.settings), "utf-8")
        self._progress(f"starting the {self.kind}")
        self._log = (folder / "qrscp.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pynetdicom", "qrscp", "-c", str(config)],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            self._wait_ready(timeout_s)
        except BaseException:
            self.stop()
            raise
        self._forwarder.start()
        self._progress(f"the {self.kind} is ready")

    def _wait_ready(self, timeout_s: float) -> None:
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            if self._process is None or self._process.poll() is not None:
                raise PeerUnreachableError("the small archive ended at once; see qrscp.log")
            try:
                echo(self.peer())
            except PeerError:
                time.sleep(0.1)
            else:
                return
        raise PeerUnreachableError(f"the small archive was not ready after {timeout_s:.0f} s")

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ends forwarder and program, and waits for both; safe to repeat."""
        self._forwarder.stop()
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    def upload(self, content: bytes) -> None:
        """Stores one part-10 file by C-STORE. Raises: PeerError."""
        send(self.peer(), [content])

    def fetch(self, sop_instance_uid: str) -> bytes:
        """One instance as part-10 file, from the folder where `qrscp` keeps it under its UID.

        Raises: PeerRefusedError when it is not there.
        """
        path = self.settings.folder / "instances" / checked_uid(sop_instance_uid)
        if not path.is_file():
            raise PeerRefusedError("the archive does not have this instance")
        return path.read_bytes()


def _configuration(settings: ArchiveSettings) -> str:
    """What qrscp.ini holds: loopback only, no identifiers in its log."""
    ports = {settings.listener_aet: settings.listener_port, **settings.others}
    destinations = "".join(
        f"[{aet}]\naddress: 127.0.0.1\nport: {port}\n" for aet, port in ports.items()
    )
    return (
        "[DEFAULT]\n"
        f"ae_title: {settings.aet}\n"
        f"port: {settings.dicom_port}\n"
        "max_pdu: 0\nacse_timeout: 30\ndimse_timeout: 30\nnetwork_timeout: 60\n"
        "bind_address: 127.0.0.1\n"
        f"instance_location: {settings.folder / 'instances'}\n"
        f"database_location: {settings.folder / 'index.sqlite'}\n"
        "log_identifier: False\n"
        f"{destinations}"
    )
