"""The archive is away: drafts are made and kept, a person is told, and nothing is made twice."""

import os
import signal
import time
from datetime import date, datetime, timedelta

import pytest

from radgen.demo.phantom import phantom_study
from radgen.domain.study import VersionState

pytestmark = pytest.mark.orthanc

ATTEMPTS = 3


@pytest.fixture(scope="module")
def site(open_site):
    site = open_site(
        sections={
            "workflow": {
                "peer_attempts": ATTEMPTS,
                "peer_pause_s": 0.5,
                "peer_backoff": 1.5,
                "reconcile_days": 0,
            },
            "completeness": {"quiet_s": 2.0, "released_s": 1.0},
        }
    )
    site.wait_for_worker()
    return site


def test_drafts_wait_for_the_archive_and_go_back_unchanged(site, figures):
    studies = [phantom_study("chest normal"), phantom_study("chest CR Latin name")]
    uids = [each.study_uid for each in studies]
    site.archive.stop()
    begin = time.monotonic()
    for study in studies:
        site.send(list(study.files()))
    site.wait_for_state(uids, VersionState.FAILED, 60)
    figures(
        f"archive down: drafted, tried {ATTEMPTS} times, given up after "
        f"{time.monotonic() - begin:.1f} s"
    )
    kept = {uid: site.detail(uid).drafts[0] for uid in uids}
    status = site.json_of("status")
    assert status["studies"]["failed"] == 2
    for row in status["failed"]:
        assert row["failure"].startswith("PeerUnreachableError: peer archive")
        assert f"(after {ATTEMPTS} attempts)" in row["failure"]
    for uid in uids:
        assert kept[uid].sr_uids
        assert site.detail(uid).versions[0].drafted_at is not None
        assert not site.detail(uid).sent

    site.restart_archive()
    assert site.command("retry", "--all").strip() == "2 version(s) will be tried again"
    site.wait_for_state(uids, VersionState.CONFIRMED, 60)
    for uid in uids:
        detail = site.detail(uid)
        assert detail.drafts == (kept[uid],), "drafted anew"
        assert set(site.srs_in_archive(uid)) == set(kept[uid].sr_uids)
        assert site.read_back(uid).faults == ()
    assert site.json_of("status")["failed"] == []


def test_a_study_that_was_never_routed_is_found_and_fetched(site):
    today = datetime.now().astimezone().date()
    study = phantom_study("chest two views", today)
    site.upload([study])
    gap = {"study_uid": study.study_uid, "archive": 2, "received": 0}
    assert site.json_of("reconcile", "--days", "1") == [gap]
    assert site.states(study.study_uid) == []
    assert site.json_of("reconcile", "--days", "1", "--fetch") == [gap]
    site.wait_for_state([study.study_uid], VersionState.CONFIRMED, 60)
    assert site.read_back(study.study_uid).report.structure.missing == 0
    # What came back to the archive is no gap of ours.
    assert site.json_of("reconcile", "--days", "1") == []


def test_an_archive_that_hangs_holds_up_no_draft(site, site_tools, figures):
    """It takes connections and never answers, which is worse than being away."""
    days = [date(2026, 6, 1) + timedelta(days=number) for number in range(4)]
    studies = [phantom_study("chest normal", day) for day in days]
    uids = [each.study_uid for each in studies]
    pid = site.archive._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        for study in studies:
            site.send(list(study.files()))
        site_tools.wait_for(
            lambda: all(site.states(uid)[:1] == [VersionState.DRAFTED] for uid in uids),
            60,
            "all drafted",
            lambda: site.story(uids),
        )
        figures(f"archive hangs: 4 films drafted after {time.monotonic() - begin:.1f} s")
    finally:
        os.kill(pid, signal.SIGCONT)
    site.wait_for_state(uids, VersionState.CONFIRMED, 60)
