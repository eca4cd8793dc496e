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
from types import TracebackType
from typing import IO, Protocol, Self

from radgen.demo.orthanc import ArchiveSettings, OrthancServer, find_orthanc
from radgen.domain.errors import (
    ConfigurationError,
    PeerError,
    PeerRefusedError,
    PeerUnreachableError,
)
from radgen.pacs.echo import echo
from radgen.pacs.find import list_instances, list_series, studies_between
from radgen.pacs.peer import Peer
from radgen.pacs.retrieve import move_series
from radgen.pacs.store import send
from radgen.pacs.uids import checked_uid

log = logging.getLogger(__name__)

# Modalities that are no images; a study that grows by one of these is not sent again.
NOT_IMAGES = frozenset({"SR", "KO", "PR", "DOC", "SEG", "RWV", "AU"})


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
    """What the forwarder knows of one study. routed: images when it was last sent."""

    instances: int = 0
    since: float = field(default_factory=time.monotonic)
    settled: int = 0
    routed: int = 0


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
        self._stopping = threading.Event()
        self._forwarder = threading.Thread(target=self._forward, name="forwarder", daemon=True)
        self._seen: dict[str, _Seen] = {}

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
        self._stopping.set()
        if self._forwarder.is_alive():
            self._forwarder.join()
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

    def _forward(self) -> None:
        while not self._stopping.wait(0.25):
            try:
                for study in studies_between(self.peer(), None, None):
                    self._consider(study.study_uid)
            except PeerError as error:
                # The listener may start later than the archive; the next round tries again.
                log.warning("forwarding failed", extra={"error": type(error).__name__})
                self._stopping.wait(2.0)

    def _consider(self, study_uid: str) -> None:
        """Sends the images of one study when it is stable and has more of them than before."""
        if self._stopping.is_set():
            return
        seen = self._seen.setdefault(study_uid, _Seen())
        by_series = list_instances(self.peer(), study_uid)
        instances = sum(map(len, by_series.values()))
        if instances != seen.instances:
            seen.instances, seen.since = instances, time.monotonic()
        waited = time.monotonic() - seen.since
        if instances == seen.settled or waited < self.settings.stable_age_s:
            return
        images = [
            s.series_uid for s in list_series(self.peer(), study_uid) if _is_image(s.modality)
        ]
        count = sum(len(by_series.get(uid, ())) for uid in images)
        if count != seen.routed:
            for series_uid in images:
                move_series(self.peer(), study_uid, series_uid, self.settings.listener_aet)
            seen.routed = count
        seen.settled = instances


def _is_image(modality: str) -> bool:
    return modality not in NOT_IMAGES


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
