"""A real archive for the demonstration and the tests: Orthanc as a child process, loopback only."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import httpx

from radgen.domain.errors import ConfigurationError, PeerRefusedError, PeerUnreachableError
from radgen.pacs.peer import Peer

LUA_SCRIPT = Path(__file__).with_name("route_study.lua")

_BINARIES = ("Orthanc", "/usr/sbin/Orthanc", "/usr/local/sbin/Orthanc")
_PLUGIN_FOLDERS = (
    "/usr/share/orthanc/plugins",
    "/usr/lib/orthanc",
    "/usr/local/share/orthanc/plugins",
)
_WEB_PLUGIN = "libOrthancDicomWeb.so"
# User metadata start at 1024 in Orthanc.
_ROUTED_METADATA = {"RadgenRouted": 1024}


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """How the archive of a demonstration behaves.

    folder: where it keeps its database; created. dicom_port, http_port: free ports of loopback.
    listener_aet, listener_port: where stable studies are sent.
    stable_age_s: silence after which a study is stable, whole seconds, at least 1.
    tcp_nodelay: switches Nagle's algorithm off; a stock installation has it on, which costs up to
        40 ms per image with some receivers.
    """

    folder: Path
    dicom_port: int
    http_port: int
    aet: str = "ARCHIVE"
    listener_aet: str = "RADGEN"
    listener_port: int = 11112
    stable_age_s: int = 2
    tcp_nodelay: bool = False
    # More titles that may store, find and move, with their ports.
    others: dict[str, int] = field(default_factory=dict)


def find_orthanc() -> tuple[Path, Path] | None:
    """Program and DICOMweb plugin, None where Orthanc is not installed with it."""
    binary = next((found for name in _BINARIES if (found := shutil.which(name))), None)
    plugins = (Path(folder) / _WEB_PLUGIN for folder in _PLUGIN_FOLDERS)
    plugin = next((path for path in plugins if path.exists()), None)
    return (Path(binary), plugin) if binary and plugin else None


class OrthancServer:
    """Orthanc, started by `with` and gone at its end; its log stays in the folder.

    Raises: ConfigurationError when Orthanc is not installed; PeerUnreachableError when it does not
        start or does not answer.
    """

    kind = "Orthanc"

    def __init__(
        self, settings: ArchiveSettings, progress: Callable[[str], None] = lambda _: None
    ) -> None:
        self.settings = settings
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{settings.http_port}", timeout=30.0, trust_env=False
        )

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

    @property
    def dicomweb_url(self) -> str:
        """Root of its DICOMweb services."""
        return f"http://127.0.0.1:{self.settings.http_port}/dicom-web"

    def peer(self, our_aet: str | None = None) -> Peer:
        """This archive as a peer of ours."""
        return Peer(
            name="archive",
            aet=self.settings.aet,
            host="127.0.0.1",
            port=self.settings.dicom_port,
            our_aet=our_aet or self.settings.listener_aet,
            dicomweb_url=self.dicomweb_url,
        )

    def start(self, timeout_s: float = 30.0) -> None:
        """Starts the program and waits until it answers."""
        installed = find_orthanc()
        if installed is None:
            raise ConfigurationError("Orthanc with its DICOMweb plugin is not installed")
        binary, plugin = installed
        folder = self.settings.folder
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "orthanc.json"
        config.write_text(json.dumps(configuration(self.settings, plugin), indent=2), "utf-8")
        environment = dict(os.environ)
        environment.pop("TCP_NODELAY", None)  # DCMTK reads it; a stock archive has it not
        if self.settings.tcp_nodelay:
            environment["TCP_NODELAY"] = "1"
        self._progress("starting Orthanc")
        self._log = (folder / "orthanc.log").open("ab")
        self._process = subprocess.Popen(
            [str(binary), str(config)],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        try:
            self._wait_ready(timeout_s)
        except BaseException:
            self.stop()
            raise

    def _wait_ready(self, timeout_s: float) -> None:
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            if self._process is None or self._process.poll() is not None:
                raise PeerUnreachableError("Orthanc ended at once; see orthanc.log in its folder")
            try:
                version = self._http.get("/system", timeout=2.0).json()["Version"]
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                self._progress(f"Orthanc {version} is ready")
                return
        raise PeerUnreachableError(f"Orthanc was not ready after {timeout_s:.0f} s")

    def stop(self, timeout_s: float = 20.0) -> None:
        """Ends the program and waits until its ports are free again; safe to repeat."""
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
        self._http.close()

    def upload(self, content: bytes) -> None:
        """Stores one part-10 file by REST.

        Raises: PeerRefusedError when it is no DICOM file, PeerUnreachableError.
        """
        self._request("POST", "/instances", content=content)

    def qido(self, path: str, **query: str) -> list[dict[str, Any]]:
        """One QIDO-RS search below the DICOMweb root, `path` as "/studies"; [] for no match."""
        answer = self._request("GET", "/dicom-web" + path, params=query)
        found: list[dict[str, Any]] = answer.json() if answer.content else []
        return found

    def fetch(self, sop_instance_uid: str) -> bytes:
        """The part-10 file of one instance, as it was stored.

        Raises: PeerRefusedError when the archive has it not.
        """
        found = self._request("POST", "/tools/lookup", content=sop_instance_uid.encode()).json()
        ids = [each["ID"] for each in found if each["Type"] == "Instance"]
        if not ids:
            raise PeerRefusedError("the archive does not have this instance")
        return self._request("GET", f"/instances/{ids[0]}/file").content

    def _request(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        params: dict[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, content=content, params=params)
        except httpx.HTTPError as error:
            raise PeerUnreachableError("Orthanc gave no answer") from error
        if not answer.is_success:
            raise PeerRefusedError(f"Orthanc answered {answer.status_code}")
        return answer


def configuration(settings: ArchiveSettings, web_plugin: Path) -> dict[str, Any]:
    """What orthanc.json holds.

    This Orthanc listens on every interface, whatever one sets; so DICOM is taken only from known
    titles at 127.0.0.1 and HTTP only from this machine.
    """
    ports = {settings.listener_aet: settings.listener_port, **settings.others}
    modalities = {
        ("radgen" if aet == settings.listener_aet else aet.lower()): {
            "AET": aet,
            "Host": "127.0.0.1",
            "Port": port,
            "AllowStorageCommitment": True,
        }
        for aet, port in ports.items()
    }
    return {
        "Name": "RadGen demonstration archive",
        "StorageDirectory": str(settings.folder / "db"),
        "IndexDirectory": str(settings.folder / "db"),
        "HttpPort": settings.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": settings.aet,
        "DicomPort": settings.dicom_port,
        "DicomCheckCalledAet": True,
        "DicomCheckModalityHost": True,
        "DicomAlwaysAllowStore": False,
        "DicomAlwaysAllowEcho": False,
        "DicomModalities": modalities,
        "StableAge": settings.stable_age_s,
        "OverwriteInstances": False,
        "UserMetadata": _ROUTED_METADATA,
        "DefaultEncoding": "Utf8",
        "LuaScripts": [str(LUA_SCRIPT)],
        "Plugins": [str(web_plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
