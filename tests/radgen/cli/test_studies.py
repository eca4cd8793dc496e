"""`radgen status`, `retry`, `reconcile` and `peers`: beside a real ledger and a real peer."""

import importlib.util
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from radgen.cli.site import open_site
from radgen.domain.errors import PeerUnreachableError, StoreError
from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Arrival, ArrivalKind, QuarantineRow

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
S = VersionState


@pytest.fixture
def site(write_site):
    return write_site()


@pytest.fixture
def ledger(site):
    book = Ledger(open_site(site).database.url, lambda: NOON)
    book.migrate()
    yield book
    book.close()


@pytest.fixture
def add_study(ledger):
    """One complete study of one image; fails it where it is told to."""

    def add(uid, failure=None):
        arrival = Arrival(
            f"{uid}.9", uid, f"{uid}.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2", "DX", f"{uid}.dcm",
            ArrivalKind.STORED, NOON, "XR", 1,
        )  # fmt: skip
        ledger.take_in([arrival], "1:0")
        ledger.complete(uid, 1, "all here", 0)
        if failure:
            ledger.move(uid, 1, (S.COMPLETE,), S.DRAFTING)
            ledger.move(uid, 1, (S.DRAFTING,), S.FAILED, failure=failure)

    return add


@pytest.fixture(scope="session")
def archive_class():
    path = Path(__file__).resolve().parents[1] / "pipeline" / "archive_peer.py"
    spec = importlib.util.spec_from_file_location("tests_cli_archive_peer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.ArchivePeer


@pytest.fixture
def archive(archive_class, free_port, write_site):
    """An archive that has three images of study 1.2 and one of study 1.3, and a site for it."""
    series = [("1.2", "1.2.1", "DX", 3), ("1.3", "1.3.1", "CT", 1), ("1.4", "1.4.1", "DX", 1)]
    with archive_class(free_port, series=series) as running:
        write_site(pacs={"aet": "ARCHIVE", "host": "127.0.0.1", "port": free_port})
        yield running


def test_the_status_counts_studies_and_tells_what_went_wrong(call, site, ledger, add_study):
    add_study("1.2")
    add_study("1.3", "PeerUnreachableError: away")
    ledger.record_quarantine(QuarantineRow("quarantine/a.dcm", NOON, "no DICOM prefix", "XR", 8))
    lines = call("status", "-c", site).stdout.splitlines()
    assert "complete     1" in lines
    assert "failed       1" in lines
    assert "failed: 1.3 version 1: PeerUnreachableError: away" in lines
    assert "quarantine: quarantine/a.dcm: no DICOM prefix" in lines
    found = json.loads(call("status", "-c", site, "--json").stdout)
    assert found["studies"]["complete"] == 1
    assert set(found["studies"]) == {state.value for state in S}
    assert [row["study_uid"] for row in found["failed"]] == ["1.3"]
    assert [row["path"] for row in found["quarantine"]] == ["quarantine/a.dcm"]


def test_one_failed_study_is_tried_again(call, site, ledger, add_study):
    add_study("1.2", "StoreError: full")
    add_study("1.3", "StoreError: full")
    assert call("retry", "1.3", "-c", site).stdout == "1 version(s) will be tried again\n"
    assert [ledger.version(uid, 1).state for uid in ("1.2", "1.3")] == [S.FAILED, S.COMPLETE]
    assert ledger.version("1.3", 1).failure is None


def test_every_failed_study_is_tried_again(call, site, ledger, add_study):
    for uid in ("1.2", "1.3"):
        add_study(uid, "StoreError: full")
    add_study("1.4")
    tried = json.loads(call("retry", "--all", "-c", site, "--json").stdout)
    assert sorted(one["study"] for one in tried) == ["1.2", "1.3"]
    assert ledger.counts_by_state()[S.COMPLETE] == 3
    assert json.loads(call("retry", "--all", "-c", site, "--json").stdout) == []


def test_a_site_without_a_ledger_says_so_and_makes_none(call, site, tmp_path):
    for words in (("status",), ("retry", "--all"), ("reconcile",)):
        done = call(*words, "-c", site)
        assert isinstance(done.exception, StoreError)
        assert "no ledger at" in str(done.exception)
    assert not (tmp_path / "radgen.sqlite").exists()


def test_a_database_that_is_no_ledger_is_named(call, site, tmp_path):
    (tmp_path / "radgen.sqlite").write_bytes(b"no database" * 100)
    done = call("status", "-c", site)
    assert isinstance(done.exception, StoreError)
    assert "made by `radgen worker`?" in str(done.exception)


def test_gaps_are_listed_and_fetched_only_when_asked(call, site, add_study, archive):
    add_study("1.2")
    add_study("1.4")
    done = call("reconcile", "-c", site)
    assert sorted(done.stdout.splitlines()) == [
        "1.2: archive has 3 images, we have 1",
        "1.3: archive has 1 images, we have 0",
        "2 studies are incomplete here",
    ]
    assert archive.moved == []
    done = call("reconcile", "-c", site, "--fetch", "--days", "3")
    assert done.stdout.splitlines()[-1] == "2 studies are incomplete here and were asked for"
    assert sorted(archive.moved) == ["1.2", "1.3"]
    found = json.loads(call("reconcile", "-c", site, "--json").stdout)
    assert {"study_uid": "1.2", "archive": 3, "received": 1} in found


def test_one_gap_is_one_study(call, site, add_study, archive):
    archive.series = archive.series[:1]
    add_study("1.2")
    assert call("reconcile", "-c", site).stdout.splitlines()[-1] == "1 study is incomplete here"


def test_an_archive_that_answers_is_told(call, site, archive):
    done = call("peers", "echo", "-c", site)
    assert done.stdout.startswith(f"pacs (ARCHIVE@127.0.0.1:{archive.port}) answered in ")
    found = json.loads(call("peers", "echo", "-c", site, "--json").stdout)
    assert (found["peer"], found["aet"]) == ("pacs", "ARCHIVE")
    assert found["ms"] >= 0


def test_an_archive_that_is_away_is_an_error_of_ours(call, site):
    assert isinstance(call("peers", "echo", "-c", site).exception, PeerUnreachableError)
