"""One ledger on PostgreSQL, two nodes: what a killed node had begun, the other one finishes."""

import json
import signal
import subprocess
import time
from datetime import date, timedelta

import pytest

from radgen.demo.phantom import phantom_study
from radgen.domain.study import VersionState

pytestmark = [pytest.mark.orthanc, pytest.mark.postgres, pytest.mark.kill]


@pytest.fixture(scope="module")
def database(new_database):
    """URL of an empty database of a real PostgreSQL."""
    return new_database()


@pytest.fixture(scope="module")
def site(open_site, database):
    return open_site(roles=("listener",), database=database)


@pytest.fixture
def node(site, site_tools):
    """A function that starts a worker of another name on the same site."""
    running = []

    def start(name):
        config = site.write_config(site.folder / f"{name}.toml", workflow={"node": name})
        log = (site.logs / f"{name}.log").open("wb")
        command = [site_tools.BIN / "radgen", "worker", "--config", config]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        running.append((process, log))
        return process

    yield start
    for process, log in running:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()


def test_the_work_of_a_killed_node_is_finished_by_another(site, site_tools, node, figures):
    days = [date(2026, 5, 1) + timedelta(days=number) for number in range(3)]
    studies = [phantom_study("chest CT normal", day) for day in days]
    uids = [each.study_uid for each in studies]
    site.upload(studies)
    first = node("one")
    for study in studies:
        site.send(list(study.files()))
    site_tools.wait_for(
        lambda: any(site.states(uid) == [VersionState.DRAFTING] for uid in uids),
        60,
        "node one reads a study",
        lambda: site.story(uids),
    )
    first.kill()
    first.wait()
    begun = [uid for uid in uids if site.states(uid) == [VersionState.DRAFTING]]
    assert begun, "nothing was under way when the node was killed"
    begin = time.monotonic()
    node("two")
    site.wait_for_state(uids, VersionState.CONFIRMED, 120)
    figures(f"PostgreSQL: node two confirmed 3 studies {time.monotonic() - begin:.1f} s after")
    events = [json.loads(line) for line in (site.logs / "two.log").read_text().splitlines()]
    taken = [each["workflows"] for each in events if each["event"].startswith("took over work")]
    assert sum(taken) >= len(begun)
    for uid in uids:
        detail = site.detail(uid)
        assert [each.version for each in detail.versions] == [1]
        assert len(detail.drafts) == 1
        assert set(site.srs_in_archive(uid)) == set(detail.drafts[0].sr_uids)
        assert site.read_back(uid).faults == ()


def test_one_name_is_held_by_one_live_process(site, site_tools, node):
    begin = time.monotonic()
    node("three")
    log = site.logs / "three.log"
    site_tools.wait_for(lambda: b"worker is ready" in log.read_bytes(), 60, "node three is ready")
    command = [site_tools.BIN / "radgen", "worker", "--config", site.folder / "three.toml"]
    again = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert again.returncode == 1
    assert "a worker named 'three' runs already" in again.stderr
    assert time.monotonic() - begin < 120
