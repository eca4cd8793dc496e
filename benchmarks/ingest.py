"""How fast do images come in? Our listener against DCMTK's storescp, in turn, in one run.

`python -m benchmarks.ingest --quick` sends synthetic CT slices with DCMTK's dcmsend to both,
A B A B, and prints the median and quartiles of the paired ratios. Both ends have TCP_NODELAY,
storescp its largest PDU. storescp never syncs to disk; `durability` says what ours does.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import track

from radgen.demo.phantom_header import StudySpec
from radgen.demo.phantom_kinds import ct_series
from radgen.demo.phantom_volume import VolumeShape, chest_volume
from radgen.demo.plan import free_port

DCMTK_PATH = "/usr/bin:/usr/local/bin"  # a virtual environment may hold scripts of the same names
NO_NAGLE = {**os.environ, "TCP_NODELAY": "1"}
START_S = 20.0
ASSOCIATIONS = (1, 4)


@dataclass(frozen=True, slots=True)
class Run:
    """One sending of all images. seconds: wall clock. cpu_s: of the receiver, user and system."""

    receiver: str
    seconds: float
    cpu_s: float
    images: int
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Ours against storescp: quartiles of paired ratios of images/s, medians of the rest."""

    associations: int
    durability: str
    images: int
    ratio_q1: float
    ratio: float
    ratio_q3: float
    ours_per_s: float
    storescp_per_s: float
    cpu_ratio: float
    rss_mb: float


def make_images(folder: Path, count: int) -> None:
    """Writes `count` slices of a 512 x 512 CT, 525 KB each, as files with UIDs of their own."""
    made = 0
    shape = VolumeShape(slices=40)
    while made < count:
        spec = StudySpec(f"benchmark-{made}", patient_name="Bench^Mark")
        for ds in ct_series(spec, chest_volume(made, shape=shape), head_first=True):
            if made < count:
                ds.save_as(folder / f"{made:05d}.dcm", enforce_file_format=True)
                made += 1


def deal_images(folder: Path, count: int) -> None:
    """The same images once for each number of associations, dealt into as many folders."""
    made = folder / "made"
    made.mkdir(parents=True)
    make_images(made, count)
    for associations in ASSOCIATIONS:
        for number, path in enumerate(sorted(made.iterdir())):
            part = folder / str(associations) / str(number % associations)
            part.mkdir(parents=True, exist_ok=True)
            (part / path.name).hardlink_to(path)


@contextmanager
def receiving(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A receiver that answers C-ECHO; gone at the end."""
    process = subprocess.Popen(
        command, env=NO_NAGLE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        echo = [_dcmtk("echoscu"), "-aec", "RADGEN", "127.0.0.1", str(port)]
        give_up = time.monotonic() + START_S
        while subprocess.run(echo, capture_output=True, check=False).returncode:
            if time.monotonic() > give_up:
                raise SystemExit(f"{command[0]} does not answer on port {port}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def send_all(receiver: str, process: subprocess.Popen[bytes], port: int, parts: list[Path]) -> Run:
    """Sends every part over an association of its own, all at once."""
    before = _cpu_s(process.pid)
    send = [_dcmtk("dcmsend"), "-aec", "RADGEN", "-pdu", "131072", "--scan-directories"]
    begin = time.perf_counter()
    senders = [
        subprocess.Popen([*send, "127.0.0.1", str(port), str(part)], env=NO_NAGLE) for part in parts
    ]
    if any(sender.wait() for sender in senders):
        raise SystemExit(f"dcmsend failed against {receiver}")
    seconds = time.perf_counter() - begin
    count = sum(len(list(part.iterdir())) for part in parts)
    return Run(receiver, seconds, _cpu_s(process.pid) - before, count, _peak_mb(process.pid))


def compare(images: Path, associations: int, durability: str, pairs: int) -> Summary:
    """Sends the images to both, in turn."""
    parts = sorted((images / str(associations)).iterdir())
    ours, theirs = [], []
    for _ in track(range(pairs), f"{associations} association(s), {durability}"):
        with tempfile.TemporaryDirectory(dir=images.parent) as folder:
            port = free_port()
            with receiving(_our_command(Path(folder), port, durability), port) as process:
                ours.append(send_all("radgen", process, port, parts))
        with tempfile.TemporaryDirectory(dir=images.parent) as folder:
            port = free_port()
            with receiving(_storescp_command(Path(folder), port, associations), port) as process:
                theirs.append(send_all("storescp", process, port, parts))
    return _summary(associations, durability, ours, theirs)


def _summary(associations: int, durability: str, ours: list[Run], theirs: list[Run]) -> Summary:
    ratios = sorted(b.seconds / a.seconds for a, b in zip(ours, theirs, strict=True))
    cpu = [a.cpu_s / b.cpu_s for a, b in zip(ours, theirs, strict=True) if b.cpu_s]
    quarter = len(ratios) // 4
    return Summary(
        associations=associations,
        durability=durability,
        images=ours[0].images,
        ratio_q1=round(ratios[quarter], 2),
        ratio=round(statistics.median(ratios), 2),
        ratio_q3=round(ratios[-1 - quarter], 2),
        ours_per_s=round(statistics.median(run.images / run.seconds for run in ours)),
        storescp_per_s=round(statistics.median(run.images / run.seconds for run in theirs)),
        cpu_ratio=round(statistics.median(cpu), 2) if cpu else 0.0,
        rss_mb=round(max(run.rss_mb for run in ours), 1),
    )


def _our_command(folder: Path, port: int, durability: str) -> list[str]:
    config = folder / "radgen.toml"
    config.write_text(
        f'[listener]\nport = {port}\nstore = "{folder}/store"\ndurability = "{durability}"\n'
        "min_free_mb = 64\n"
    )
    beside = Path(sys.executable).parent / "dicom-listener"
    return [str(beside), "--config", str(config)]


def _storescp_command(folder: Path, port: int, associations: int) -> list[str]:
    fork = ["--fork"] if associations > 1 else []
    return [_dcmtk("storescp"), *fork, "-pdu", "131072", "-od", str(folder), str(port)]


def _dcmtk(name: str) -> str:
    found = shutil.which(name, path=DCMTK_PATH)
    if found is None:
        raise SystemExit(f"{name} is not installed; fix: apt-get install dcmtk")
    return found


def _cpu_s(pid: int) -> float:
    """User and system time of a process and of its children that ended (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[i]) for i in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Runs the comparison and prints it; `--json FILE` keeps it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="5 pairs of 100 images instead of 11 of 600"
    )
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="where all files go")  # noqa: S108
    parser.add_argument("--json", type=Path, help="where the results go")
    options = parser.parse_args()
    count, pairs = (100, 5) if options.quick else (600, 11)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        images = Path(name) / "images"
        deal_images(images, count)
        summaries = [
            compare(images, associations, durability, pairs)
            for associations in ASSOCIATIONS
            for durability in ("grouped", "none")
        ]
    result = {
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "results": [asdict(summary) for summary in summaries],
    }
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
