"""Commands as a person calls them, on sites of their own."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from radgen.cli.app import app

COMMAND = Path(sys.executable).parent / "radgen"


@pytest.fixture
def call():
    """Calls `radgen` in this process; its own errors come back as exceptions of the result."""
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


@pytest.fixture
def run():
    """Runs the installed command in a process of its own, as a shell does."""

    def start(*words, **environment):
        words = [str(word) for word in words]
        return subprocess.run(
            [COMMAND, *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )

    return start


@pytest.fixture
def free_ports():
    """So many free ports of loopback."""

    def find(count):
        probes = [socket.socket() for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in probes]
        for probe in probes:
            probe.close()
        return ports

    return find


@pytest.fixture
def write_site(tmp_path):
    """Writes a configuration file of a site in this folder; `sections`: more of it, or other."""

    def write(**sections):
        database = f"sqlite:///{tmp_path / 'radgen.sqlite'}"
        content = {
            "store": {"folder": str(tmp_path / "store")},
            "database": {"url": database},
            "pacs": {"aet": "ARCHIVE", "host": "127.0.0.1", "port": 9, "connect_timeout_s": 1.0},
            "engine": {"mode": "in-process"},
            **sections,
        }
        lines = []
        for name, values in content.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        path = tmp_path / "radgen.toml"
        path.write_text("\n".join(lines), "utf-8")
        return path

    return write
