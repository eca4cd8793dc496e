"""docker/compose.yaml keeps what docs/install.md says of it."""

import re
from pathlib import Path

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[2] / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}
# Orthanc's image starts as root and has no other user; without capabilities and on a read-only
# root file system it stays an exception.
ROOT_STARTS = {"archive"}
SECRET_WORD = re.compile(r"password|passwd|secret|token|api_?key", re.IGNORECASE)

every_service = pytest.mark.parametrize("name", SERVICES)


def test_the_node_has_its_four_processes_a_database_and_an_archive():
    assert set(SERVICES) == {"listener", "engine", "review", "triton", "database", "archive"}
    assert {"listener", "engine", "review", "triton"} == OURS


@every_service
def test_every_service_has_a_read_only_root_no_capabilities_and_no_new_privileges(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("cap_add")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


@every_service
def test_no_service_runs_as_root_but_the_one_that_must(name):
    if name in ROOT_STARTS:
        assert "user" not in SERVICES[name]
        return
    uid, gid = SERVICES[name]["user"].split(":")
    assert int(uid) > 0
    assert int(gid) > 0


@every_service
def test_every_service_has_limits(name):
    assert SERVICES[name]["mem_limit"]
    assert SERVICES[name]["pids_limit"]


@every_service
def test_every_image_has_a_version(name):
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert re.match(r"\d+\.\d+", tag), "no tag, or one that moves"


@every_service
def test_every_service_is_asked_whether_it_is_well(name):
    service = SERVICES[name]
    if "build" in service:
        dockerfile = DOCKER.parent / service["build"]["dockerfile"]
        assert re.search(r"^HEALTHCHECK .*--interval", dockerfile.read_text("utf-8"), re.MULTILINE)
    else:
        assert service["healthcheck"]["test"][0] == "CMD"


@every_service
def test_no_secret_stands_in_a_variable(name):
    for key, value in SERVICES[name].get("environment", {}).items():
        if SECRET_WORD.search(key):
            assert key.endswith("_FILE")
            assert str(value).startswith("/run/secrets/")


@every_service
def test_whatever_a_service_names_is_declared(name):
    service = SERVICES[name]
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    for mount in service.get("volumes", []):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (DOCKER / source).is_file(), source
            assert mount.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_every_secret_comes_from_a_file():
    assert COMPOSE["secrets"]
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())


def test_triton_and_the_database_are_reachable_from_inside_alone():
    assert COMPOSE["networks"]["inner"]["internal"] is True
    for name in ("triton", "database"):
        assert SERVICES[name]["networks"] == ["inner"]
        assert "ports" not in SERVICES[name]


def test_the_page_is_published_on_loopback_alone_and_mounts_the_store_read_only():
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["review"]["ports"])
    assert "radgen:/var/lib/radgen:ro" in SERVICES["review"]["volumes"]


def test_triton_starts_only_with_the_gpu_profile_and_has_shared_memory_for_its_stub():
    profiles = {name for name, service in SERVICES.items() if service.get("profiles")}
    assert profiles == {"triton"}
    assert SERVICES["triton"]["profiles"] == ["gpu"]
    assert SERVICES["triton"]["shm_size"] == "2g"
    assert SERVICES["triton"]["ulimits"]["memlock"] == -1


def test_the_embedded_triton_has_the_shared_memory_its_preflight_wants():
    from radgen.drafting.triton_preflight import SHARED_MEMORY_BYTES

    megabytes = int(SERVICES["engine"]["shm_size"].removesuffix("m"))
    assert megabytes * 1024 * 1024 >= SHARED_MEMORY_BYTES


def test_the_trial_archive_knows_us_by_the_title_and_port_we_listen_on():
    import json

    from dicom_listener.settings import ListenerSettings
    from radgen.config import load_section

    ours = load_section(DOCKER / "radgen.toml", "listener", ListenerSettings)
    archive = json.loads((DOCKER / "orthanc.json").read_text(encoding="utf-8"))
    peer = archive["DicomModalities"]["radgen"]
    assert (peer["AET"], peer["Host"], peer["Port"]) == (ours.aet, "listener", ours.port)
    assert {rule.aet for rule in ours.peers} >= {archive["DicomAet"]}
    (script,) = archive["LuaScripts"]
    mounts = SERVICES["archive"]["volumes"]
    assert any(mount.split(":")[1] == script for mount in mounts)
    script_text = (DOCKER.parent / "radgen/demo/route_study.lua").read_text(encoding="utf-8")
    assert 'TARGET = "radgen"' in script_text
    assert "RadgenRouted" in archive["UserMetadata"]
    assert "RadgenRouted" in script_text
