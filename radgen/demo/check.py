"""Reads a draft back from the archive and holds it to what the ledger says.

The validators that a machine has are asked too: dciodvfy (dicom3tools) for the object, dsrdump
(DCMTK) for the tree.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread

from radgen.dicom.check_template import check_draft
from radgen.dicom.read_sr import read_draft
from radgen.domain.errors import RadgenError
from radgen.domain.report import DraftReport
from radgen.ledger.rows import DraftRow

TEXT_SR = "2000"
VALIDATORS = {"dciodvfy": (), "dsrdump": ("-q", "+U8")}
# What validators say of words that a draft must take over from its study as they are, of a private
# coding scheme (PS3.3 8.2 keeps 99... for them), and of a character set that dsrdump cannot check.
NO_FAULT = (
    "Retired Person Name form",
    "needed to build DICOMDIR",
    "Unrecognized defined term <99RADGEN>",
    "VR checker does not support",
)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """One study's SRs as the archive gave them. faults: empty where all is well."""

    files: tuple[tuple[str, bytes], ...]
    report: DraftReport | None
    faults: tuple[str, ...]


def read_back(draft: DraftRow, fetch: Callable[[str], bytes]) -> ReadBack:
    """Fetches every SR of a draft and checks it. Never raises for a fault: it is in the answer."""
    files: list[tuple[str, bytes]] = []
    faults: list[str] = []
    report = None
    for uid in draft.sr_uids:
        try:
            data = fetch(uid)
        except RadgenError as error:
            faults.append(f"not in the archive: {error}")
            continue
        files.append((uid, data))
        dataset = dcmread(BytesIO(data))
        faults += check_draft(dataset) + external_faults(data)
        if report is None:
            report = read_draft(dataset)
    if report is not None and report != draft.report:
        faults.append("the archive's draft differs from the ledger's")
    if not draft.sr_uids:
        faults.append("no SR was returned")
    return ReadBack(tuple(files), report, tuple(faults))


def external_faults(data: bytes) -> list[str]:
    """What the installed validators complain of; nothing where none is installed."""
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sr.dcm"
        path.write_bytes(data)
        for name, options in VALIDATORS.items():
            program = shutil.which(name, path="/usr/bin:/usr/local/bin")
            if program is None:
                continue
            run = subprocess.run([program, *options, str(path)], capture_output=True, check=False)
            # They quote the document, and cut its text anywhere.
            lines = run.stderr.decode("utf-8", "replace").splitlines()
            complaints = [line for line in lines if _is_complaint(line)]
            faults += [f"{name}: {line}" for line in complaints]
            if run.returncode:
                faults.append(f"{name}: exit code {run.returncode}")
    return faults


def _is_complaint(line: str) -> bool:
    words = ("Error", "Warning", "E:", "W:", "F:")
    return any(word in line for word in words) and not any(each in line for each in NO_FAULT)


def as_html(data: bytes) -> str | None:
    """The SR as DCMTK's dsr2html shows it; None where DCMTK is not installed."""
    program = shutil.which("dsr2html", path="/usr/bin:/usr/local/bin")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "sr.dcm", Path(folder) / "sr.html"
        source.write_bytes(data)
        subprocess.run(
            [program, "-q", "+U8", str(source), str(target)], capture_output=True, check=True
        )
        return target.read_text(encoding="utf-8")
