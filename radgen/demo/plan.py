"""Where a demonstration keeps its things, and the configuration it writes for its processes."""

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from radgen.pacs.peer import Peer

QUIET_S = 4.0
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """Folders and ports of one run. folder: emptied for each run."""

    folder: Path
    listener_port: int
    dicom_port: int
    http_port: int
    review_port: int

    @property
    def config(self) -> Path:
        """The configuration file of listener, worker and page."""
        return self.folder / "radgen.toml"

    @property
    def results(self) -> Path:
        """Where the drafts are written for people."""
        return self.folder / "drafts"

    @property
    def logs(self) -> Path:
        """One log file for each process."""
        return self.folder / "logs"

    @property
    def database_url(self) -> str:
        """The ledger."""
        return f"sqlite:///{self.folder.resolve()}/radgen.sqlite"


def plan_demo(folder: Path, review_port: int) -> DemoPlan:
    """Free ports of the loopback interface; the page's port is kept where it is free."""
    listener, dicom, http = (free_port() for _ in range(3))
    return DemoPlan(folder, listener, dicom, http, free_port(review_port))


def free_port(wanted: int = 0) -> int:
    """`wanted` if nobody listens on it, else one that the system picks."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_config(plan: DemoPlan, peer: Peer) -> None:
    """The file a hospital would write, with short waits."""
    store = plan.folder.resolve() / "store"
    tables: dict[str, dict[str, object]] = {
        "listener": {
            "bind": "127.0.0.1",
            "port": plan.listener_port,
            "aet": peer.our_aet,
            "store": str(store),
        },
        "store": {"folder": str(store)},
        "database": {"url": plan.database_url},
        "completeness": {
            "quiet_s": QUIET_S,
            "released_s": QUIET_S,
            "settle_s": 0.5,
            "longest_wait_s": LONGEST_WAIT_S,
            "ask_archive_s": 2.0,
        },
        "workflow": {"node": "demo", "poll_s": 0.25, "sweep_s": 0.25},
        "pacs": asdict(peer),
        "review": {"port": plan.review_port},
    }
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        # A JSON string, number or boolean is a TOML one too.
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        lines.append("")
    plan.config.write_text("\n".join(lines), encoding="utf-8")
