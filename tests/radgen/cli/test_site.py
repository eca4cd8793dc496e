"""`radgen config check`, and what a site is without a word in the file."""

import json
from pathlib import Path

import pytest

from models.pack import PACKS
from radgen.cli.sections import SECTION_TYPES
from radgen.cli.site import DatabaseSettings, Site, open_site
from radgen.dicom.sr_settings import SrSettings
from radgen.domain.errors import ConfigurationError
from radgen.drafting.open_engine import EngineSettings
from radgen.pacs.peer import Peer


def test_a_good_file_is_good(call, write_site):
    file = write_site(listener={"port": 11113})
    done = call("config", "check", "-c", file)
    assert (done.exit_code, done.stdout) == (0, f"{file}: all sections are valid\n")
    assert json.loads(call("config", "check", "-c", file, "--json").stdout) == {
        "file": str(file),
        "ok": True,
    }


@pytest.mark.parametrize("section", [*SECTION_TYPES, "listener"])
def test_an_unknown_key_of_any_section_is_named(call, write_site, section):
    known = {"pacs": {"aet": "A", "host": "h", "port": 104}}.get(section, {})
    done = call("config", "check", "-c", write_site(**{section: {**known, "wrong_key": 1}}))
    assert isinstance(done.exception, ConfigurationError)
    assert f"[{section}]: unknown key wrong_key" in str(done.exception)
    assert "\n" not in str(done.exception)


def test_an_unknown_section_is_named(call, write_site):
    done = call("config", "check", "-c", write_site(listening={}))
    assert "unknown section [listening]" in str(done.exception)


def test_a_port_that_is_none_is_named(call, write_site):
    done = call("config", "check", "-c", write_site(pacs={"aet": "A", "host": "h", "port": 70000}))
    assert "70000 is no TCP port" in str(done.exception)


def test_a_listener_that_would_let_nobody_in_is_told(call, write_site):
    done = call("config", "check", "-c", write_site(listener={"port": "x"}))
    assert "listener.port" in str(done.exception)


def test_without_a_file_the_archive_must_be_named(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RADGEN_CONFIG", raising=False)
    assert "pacs.aet: Field required" in str(call("config", "check").exception)
    for key, value in {"AET": "A", "HOST": "h", "PORT": "104"}.items():
        monkeypatch.setenv(f"RADGEN_PACS__{key}", value)
    assert call("config", "check").stdout == "defaults (no file): all sections are valid\n"


def test_the_file_of_the_folder_is_taken_where_none_is_named(tmp_path, monkeypatch, write_site):
    monkeypatch.delenv("RADGEN_CONFIG", raising=False)
    write_site()
    monkeypatch.chdir(tmp_path)
    assert open_site(None).file == Path("radgen.toml")
    assert open_site(None).store.folder == tmp_path / "store"


def test_a_site_knows_its_device_its_pack_and_its_archive():
    site = Site()
    first, again = (site.section("report", SrSettings).device_uid for _ in range(2))
    assert first == again
    assert first.startswith("2.25.")
    assert site.section("engine", EngineSettings).pack_folder == PACKS / "cxr-adult"


def test_the_name_of_the_archive_may_be_left_out(write_site):
    assert open_site(write_site()).section("pacs", Peer).name == "pacs"


@pytest.mark.parametrize(
    ("url", "workflows", "folder"),
    [
        ("sqlite:////data/radgen.sqlite", "sqlite:////data/radgen-workflow.sqlite", Path("/data")),
        ("sqlite:////data/x.db", "sqlite:////data/x.db-workflow.sqlite", Path("/data")),
        ("postgresql://h/radgen", "postgresql://h/radgen", None),
    ],
)
def test_workflows_lie_beside_the_ledger(url, workflows, folder):
    settings = DatabaseSettings(url)
    assert (settings.workflow_url, settings.lock_folder) == (workflows, folder)
