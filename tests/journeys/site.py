"""One whole site on loopback: a real archive, the real processes, and ways to look at both."""

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from radgen.cli.processes import role_commands
from radgen.demo.archive import DemoArchive
from radgen.demo.check import ReadBack, read_back
from radgen.demo.orthanc import ArchiveSettings, OrthancServer
from radgen.demo.phantom import PhantomStudy
from radgen.domain.errors import PeerError
from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import StudyDetail
from radgen.pacs.echo import echo
from radgen.pacs.peer import Peer
from radgen.pacs.store import send
from radgen.serve import Role, Supervisor

BIN = Path(sys.executable).parent
NEVER_S = 3600
"""Stable age of an archive that shall not route."""


@dataclass(frozen=True)
class Plan:
    """What a site is like.

    engine: [engine] mode; the embedded Triton costs seconds at start and stop.
    sections: keys of radgen.toml that differ from `_configuration`.
    """

    archive: Callable[[ArchiveSettings], DemoArchive] = OrthancServer
    stable_age_s: int = NEVER_S
    roles: tuple[str, ...] = ("listener", "worker")
    database: str = ""
    engine: str = "in-process"
    sections: dict[str, dict[str, object]] = field(default_factory=dict)


class Site:
    """Everything of one site lies in `folder`; `running` starts it and ends it."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.listener_port = free_port()
        self._settings = ArchiveSettings(
            folder / "archive",
            free_port(),
            free_port(),
            listener_port=self.listener_port,
            stable_age_s=plan.stable_age_s,
        )
        self.archive = plan.archive(self._settings)
        self.config = folder / "radgen.toml"
        self.store = folder / "store"
        self.logs = folder / "logs"
        self.database = plan.database or f"sqlite:///{folder}/radgen.sqlite"
        self.supervisor: Supervisor | None = None

    @functools.cached_property
    def ledger(self) -> Ledger:
        ledger = Ledger(self.database)
        ledger.migrate()
        return ledger

    @contextmanager
    def running(self) -> Iterator["Site"]:
        """Archive and processes, the listener ready; all gone at the end."""
        self.logs.mkdir(parents=True)
        self.write_config()
        self.ledger.counts_by_state()
        with self.archive:
            supervisor = self.supervisor = Supervisor(self.roles())
            supervisor.start()
            try:
                self.wait_for_listener()
                yield self
            finally:
                supervisor.stop()
                # The archive that runs now may be another than the one that was entered.
                self.archive.stop()
                self.ledger.close()

    def roles(self) -> list[Role]:
        return role_commands(self.config, list(self.plan.roles), self.logs)

    def write_config(self, path: Path | None = None, **changes: dict[str, object]) -> Path:
        """The configuration of this site, or one that differs in `changes`, as a file."""
        tables = self._configuration()
        for name, keys in {**self.plan.sections, **changes}.items():
            tables.setdefault(name, {}).update(keys)
        lines = []
        for name, table in tables.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        path = path or self.config
        path.write_text("\n".join(lines), "utf-8")
        return path

    def _configuration(self) -> dict[str, dict[str, object]]:
        return {
            "listener": {"bind": "127.0.0.1", "port": self.listener_port, "store": str(self.store)},
            "store": {"folder": str(self.store)},
            "database": {"url": self.database},
            "completeness": {
                "quiet_s": 3.0,
                "released_s": 3.0,
                "settle_s": 0.5,
                "longest_wait_s": 60.0,
                "ask_archive_s": 1.0,
            },
            "engine": {"mode": self.plan.engine},
            "workflow": {"node": "site", "poll_s": 0.25, "sweep_s": 0.25},
            "pacs": asdict(self.archive.peer()),
            "review": {"port": free_port()},
        }

    # Sending

    def listener(self, calling: str = "MODALITY") -> Peer:
        """Our listener as a modality knows it."""
        return Peer("radgen", "RADGEN", "127.0.0.1", self.listener_port, our_aet=calling)

    def wait_for_listener(self) -> None:
        def answers() -> bool:
            try:
                echo(self.listener())
            except PeerError:
                return False
            return True

        wait_for(answers, 60, "the listener answers")

    def wait_for_worker(self) -> None:
        log = self.logs / "worker.log"
        wait_for(lambda: b"worker is ready" in log.read_bytes(), 90, "the worker is ready")

    def upload(self, studies: Iterable[PhantomStudy]) -> None:
        """Puts whole studies into the archive."""
        for study in studies:
            for content in study.files():
                self.archive.upload(content)

    def send(self, files: Sequence[bytes], calling: str = "MODALITY") -> None:
        """Sends files to the listener over one association, as a modality does."""
        send(self.listener(calling), files)

    # Looking

    def detail(self, study_uid: str) -> StudyDetail:
        found = self.ledger.study_detail(study_uid)
        assert found is not None, "the ledger does not know the study"
        return found

    def states(self, study_uid: str) -> list[VersionState]:
        """States of all versions, newest first; [] for a study that never came."""
        found = self.ledger.study_detail(study_uid)
        return [version.state for version in found.versions] if found else []

    def wait_for_state(
        self, study_uids: Iterable[str], state: VersionState, seconds: float
    ) -> None:
        """Waits until the newest version of every study stands in `state`."""
        left = set(study_uids)

        def all_there() -> bool:
            left.difference_update(uid for uid in [*left] if self.states(uid)[:1] == [state])
            return not left

        wait_for(all_there, seconds, f"{len(left)} studies are {state}", lambda: self.story(left))

    def story(self, study_uids: Iterable[str]) -> str:
        """Where studies stand, and the end of each log, for the message of a failed test."""
        found = [
            f"{uid[-8:]} {version.version} {version.state} {version.failure or ''}"
            for uid in study_uids
            for version in (self.detail(uid).versions if self.states(uid) else ())
        ]
        tails = [path.read_text("utf-8")[-1500:] for path in sorted(self.logs.iterdir())]
        return "\n".join([*found, *tails])

    def read_back(self, study_uid: str) -> ReadBack:
        """The newest draft as the archive gives it, checked against the ledger."""
        return read_back(self.detail(study_uid).drafts[0], self.archive.fetch)

    def srs_in_archive(self, study_uid: str) -> dict[str, str]:
        """SOP Instance UID -> Series Instance UID of every SR of a study, asked by QIDO-RS."""
        assert isinstance(self.archive, OrthancServer)
        found = {}
        for series in self.archive.qido(f"/studies/{study_uid}/series", Modality="SR"):
            series_uid = value(series, "0020000E")
            for each in self.archive.qido(f"/studies/{study_uid}/series/{series_uid}/instances"):
                found[value(each, "00080018")] = series_uid
        return found

    def instances_in_archive(self) -> dict[str, int]:
        """Study Instance UID -> how many instances the archive has, asked by QIDO-RS."""
        assert isinstance(self.archive, OrthancServer)
        found = self.archive.qido("/studies", includefield="00201208")
        return {value(each, "0020000D"): int(value(each, "00201208")) for each in found}

    def restart_archive(self) -> None:
        """Starts the archive again with what it had."""
        self.archive = self.plan.archive(self._settings)
        self.archive.__enter__()

    def command(self, *words: str, config: Path | None = None) -> str:
        """Runs `radgen ...` on this site. Returns: what it printed."""
        done = subprocess.run(
            [BIN / "radgen", *words, "--config", config or self.config],
            capture_output=True,
            check=False,
            timeout=120,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json_of(self, *words: str) -> Any:
        """What `radgen ... --json` says."""
        return json.loads(self.command(*words, "--json"))


def value(match: dict[str, Any], tag: str) -> str:
    """First value of one attribute of the DICOM JSON model."""
    return str(match[tag]["Value"][0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    true: Callable[[], object], seconds: float, what: str, story: Callable[[], str] = lambda: ""
) -> float:
    """Seconds until `true()`; the test fails if it is not in time."""
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < seconds, f"not in {seconds} s: {what}\n{story()}"
        time.sleep(0.1)
    return time.monotonic() - begin


def children(pid: int) -> list[int]:
    """Process ids of the living children of `pid`."""
    try:
        lists = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
        found = [int(child) for path in lists for child in path.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [child for child in found if is_alive(child)]


def is_alive(pid: int) -> bool:
    """True while `pid` runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def kill(pid: int) -> bool:
    """kill -9; False if it was gone already."""
    if not is_alive(pid):
        return False
    os.kill(pid, signal.SIGKILL)
    return True
