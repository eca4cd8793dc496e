"""The validators of others, as gates: each returns the lines it complains with, none when clean."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

JAR = Path("/usr/share/java/pixelmed.jar")
# Java 17 refuses the size of PixelMed's style sheet otherwise.
LIMITS = [f"-Djdk.xml.xpath{name}Limit=0" for name in ("ExprGrp", "ExprOp", "TotalOp")]
# The system's own DCMTK and dicom3tools: a virtual environment may hold others of the same name.
SYSTEM_PATH = "/usr/bin:/usr/local/bin"


def missing() -> list[str]:
    """The tools that are not on this machine."""
    tools = [name for name in ("dciodvfy", "dsrdump", "dsr2html", "java") if _which(name) is None]
    return tools if JAR.exists() else [*tools, "libpixelmed-java"]


def dciodvfy(path: Path) -> list[str]:
    """Errors and warnings of dicom3tools: attributes, types, enumerated values, modules."""
    done = _run("dciodvfy", str(path))
    # PS3.3 8.2 keeps the prefix 99 for private schemes; dciodvfy knows only those of some vendors.
    own_scheme = "Unrecognized defined term <99RADGEN> for value 1 of attribute <Coding Scheme"
    # An empty id or time is legal (Type 2) and only keeps the file off a DICOMDIR.
    no_dicomdir = "needed to build DICOMDIR - "
    found = [line for line in done.splitlines() if line.startswith(("Error", "Warning"))]
    return [line for line in found if own_scheme not in line and no_dicomdir not in line]


def dsrdump(path: Path) -> list[str]:
    """Errors and warnings of DCMTK: relationships and value types of the content tree."""
    done = _run("dsrdump", "+U8", str(path))
    harmless = "VR checker does not support this Specific Character Set"  # DCMTK 3.6.7, any UTF-8
    return [
        line
        for line in done.splitlines()
        if line[:2] in {"E:", "W:", "F:"} and harmless not in line
    ]


def html(path: Path) -> str:
    """The document as DCMTK renders it for a reader."""
    return _run("dsr2html", "+U8", str(path))


def pixelmed(paths: Sequence[Path]) -> dict[Path, list[str]]:
    """Errors and warnings of PixelMed by file: templates, code meanings, order of items."""
    reports = _pixelmed_at_once(paths) if _which("javac") else _pixelmed_one_by_one(paths)
    return {path: _complaints(reports[path]) for path in paths}


def _pixelmed_at_once(paths: Sequence[Path]) -> dict[Path, str]:
    program = Path(__file__).with_name("ValidateAll.java")
    names = [str(path) for path in paths]
    said = _run("java", *LIMITS, "-cp", str(JAR), str(program), *names)
    parts = re.split(r"^== (.*)$", said, flags=re.MULTILINE)
    return {Path(name): report for report, name in zip(parts[::2], parts[1::2], strict=False)}


def _pixelmed_one_by_one(paths: Sequence[Path]) -> dict[Path, str]:
    program = "com.pixelmed.validate.DicomSRValidator"
    return {path: _run("java", *LIMITS, "-cp", str(JAR), program, str(path)) for path in paths}


def _complaints(report: str) -> list[str]:
    """A report that found no root template has checked nothing, which is a complaint of its own."""
    lines = [line for line in report.splitlines() if re.match(r"\s*(Error|Warning)", line)]
    return lines if "Found Root Template" in report else [*lines, "Error: no root template found"]


def _run(*command: str) -> str:
    done = subprocess.run(
        [_which(command[0]) or command[0], *command[1:]],
        capture_output=True,
        timeout=280,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def _which(name: str) -> str | None:
    return shutil.which(name, path=SYSTEM_PATH)
