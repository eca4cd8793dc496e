"""docker/radgen.toml is a configuration that every process can read."""

import tomllib
from pathlib import Path

import pytest
import yaml

from dicom_listener.settings import ListenerSettings, check_settings
from radgen.cli.sections import SECTION_TYPES
from radgen.cli.site import open_site
from radgen.config import load_section, read_file

DOCKER = Path(__file__).resolve().parents[2] / "docker"
EXAMPLE = DOCKER / "radgen.toml"


@pytest.mark.parametrize("section", SECTION_TYPES)
def test_each_section_of_the_example_fills_its_dataclass(section):
    site = open_site(EXAMPLE)
    assert isinstance(site.section(section, SECTION_TYPES[section]), SECTION_TYPES[section])


def test_the_listener_takes_its_section_and_could_start_with_it():
    check_settings(load_section(EXAMPLE, "listener", ListenerSettings))


def test_the_example_shows_every_section():
    assert set(read_file(EXAMPLE)) == {"listener", *SECTION_TYPES}


def test_listener_and_worker_share_one_store():
    tables = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert tables["listener"]["store"] == tables["store"]["folder"]


def test_the_example_names_the_hosts_and_ports_of_compose():
    tables = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert tables["pacs"]["host"] in services
    assert f"@{next(n for n in services if n == 'database')}/" in tables["database"]["url"]
    for service, section in (("listener", "listener"), ("review", "review")):
        (published,) = services[service]["ports"]
        assert published.split(":")[-1] == str(tables[section]["port"])


def test_the_example_holds_no_password():
    url = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["database"]["url"]
    assert ":" not in url.split("://")[1].split("@")[0]
    assert "passfile=/run/secrets/pgpass" in url
