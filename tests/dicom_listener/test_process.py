"""The command: its options, its output, what it loads."""

import json
import subprocess
import sys

import pytest

from dicom_listener.settings import ListenerSettings, PeerRule
from radgen.config import load_section
from radgen.study_store.commit import Durability


def command(*options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "dicom_listener", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


CONFIG = """
[listener]
bind = "0.0.0.0"
port = 11199
durability = "each"

[[listener.peers]]
aet = "MODALITY"
hosts = ["10.0.0.0/8"]

[[listener.peers]]
aet = "ARCHIVE"
"""


def test_a_section_becomes_settings(tmp_path):
    path = tmp_path / "radgen.toml"
    path.write_text(CONFIG)
    settings = load_section(path, "listener", ListenerSettings)
    assert settings.port == 11199
    assert settings.durability is Durability.EACH
    assert settings.peers == (PeerRule("MODALITY", ("10.0.0.0/8",)), PeerRule("ARCHIVE"))


def test_a_good_configuration_is_called_good_and_nothing_is_opened(tmp_path):
    path = tmp_path / "radgen.toml"
    path.write_text(CONFIG)
    done = command("--config", str(path), "--check", "--store", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (0, "configuration is good\n")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (CONFIG.replace("durability", "durabilty"), "durabilty"),
        (CONFIG.replace("hosts", "host"), "host"),
        (CONFIG.replace("10.0.0.0/8", "10.0.0.0/99"), "10.0.0.0/99"),
        (CONFIG.replace("each", "perhaps"), "durability"),
        ('[listener]\nbind = "0.0.0.0"\n', "accept_any_peer"),
    ],
)
def test_a_bad_configuration_is_named(tmp_path, text, word):
    path = tmp_path / "radgen.toml"
    path.write_text(text)
    done = command("--config", str(path), "--check")
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_help_shows_examples():
    done = command("--help")
    assert done.returncode == 0
    assert "dicom-listener --config radgen.toml --check" in done.stdout


def test_a_taken_port_is_said_in_one_line(spawn):
    process = spawn()
    done = command("--port", str(process.port), "--store", str(process.store.root))
    assert done.returncode == 1
    assert "cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_health_is_an_exit_code(spawn, free_port):
    process = spawn()
    assert command("health", "--port", str(process.port)).returncode == 0
    assert command("health", "--port", str(free_port)).returncode == 1


def test_events_are_lines_of_json_without_identity(spawn, kit):
    process = spawn()
    ds = kit.make_ct(PatientName="Secret^Name", PatientID="SECRET-ID")
    other = kit.make_ct(SOPInstanceUID=ds.SOPInstanceUID)
    kit.store(process.port, ds, other)
    kit.wait_for(lambda: any("counts" in event for event in process.events()))
    events = process.events()
    assert [event["event"] for event in events] == ["listening", "conflict", "association ended"]
    assert events[-1]["counts"] == {"instance": 1, "conflict": 1}
    text = json.dumps(events)
    for secret in ("Secret", "SECRET-ID", ds.SOPInstanceUID, ds.StudyInstanceUID):
        assert secret not in text


def test_what_libraries_say_about_data_is_not_logged(spawn, kit, connect):
    process = spawn()
    peer = connect(process.port)
    peer.request()
    ds = kit.sample("MR_small_implicit.dcm")
    command_set = kit.store_command(ds.SOPClassUID, ds.SOPInstanceUID)
    data = kit.dataset_bytes_as_sent(ds)
    peer.send(kit.p_data(kit.pdv(3, command_set)) + kit.p_data(kit.pdv(2, data)))
    assert peer.status() == 0xA900
    assert {event["event"] for event in process.events()} == {"listening", "quarantined"}


def test_the_listener_loads_nothing_of_the_engine():
    code = (
        "import sys, json, dicom_listener.__main__ as m;"
        "from typer.testing import CliRunner;"
        "CliRunner().invoke(m.app, ['--check']);"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    loaded = set(json.loads(done.stdout))
    heavy = {"torch", "monai", "sqlalchemy", "tritonclient", "scipy", "skimage", "dbos", "fastapi"}
    assert not loaded & heavy
    ours = {name for name in loaded if name.startswith(("radgen.", "models"))}
    assert {name.split(".")[1] for name in ours} <= {"config", "domain", "study_store"}
