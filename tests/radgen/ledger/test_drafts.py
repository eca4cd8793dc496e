"""One draft a version, and what its SRs went through."""

import hashlib

import pytest
import sqlalchemy as sa

from radgen.domain.errors import StoreError
from radgen.records import to_json


def test_whoever_writes_a_draft_first_is_what_everyone_reads(ledger, make_report):
    first, second = make_report("first"), make_report("second")
    assert ledger.record_draft(first, "in-process", ["2.25.1"]) == first
    assert ledger.record_draft(second, "triton-url", ["2.25.2"]) == first
    row = ledger.draft("1.2", 1)
    assert (row.report, row.engine, row.sr_uids) == (first, "in-process", ("2.25.1",))
    assert row.digest == hashlib.sha256(to_json(first).encode()).hexdigest()


def test_each_version_has_a_draft_of_its_own(ledger, make_report):
    ledger.record_draft(make_report(version=1), "in-process")
    second = ledger.record_draft(make_report("late image", version=2), "in-process")
    assert second.version == 2
    assert ledger.draft("1.2", 3) is None


def test_the_uids_of_the_srs_may_be_named_later(ledger, make_report):
    assert not ledger.name_srs("1.2", 1, ["2.25.7"])
    ledger.record_draft(make_report(), "in-process")
    assert ledger.name_srs("1.2", 1, ["2.25.7", "2.25.8"])
    assert ledger.draft("1.2", 1).sr_uids == ("2.25.7", "2.25.8")


def test_a_damaged_draft_is_an_error_and_not_a_report(ledger, make_report, engine):
    ledger.record_draft(make_report(), "in-process")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE draft SET report_json = '{}'"))
    with pytest.raises(StoreError, match="not a DraftReport"):
        ledger.draft("1.2", 1)


def test_sending_again_counts_up_and_keeps_the_last_answer(ledger, make_arrival, clock):
    ledger.take_in([make_arrival()], "1")
    ledger.record_sent("1.2", 1, "2.25.1", "PACS", "0xA700")
    clock.forward(60)
    ledger.record_sent("1.2", 1, "2.25.1", "PACS", "0x0000")
    ledger.record_sent("1.2", 1, "2.25.1", "OTHER", "0x0000")
    sent = {row.peer: row for row in ledger.study_detail("1.2").sent}
    assert (sent["PACS"].status, sent["PACS"].sends, sent["PACS"].at) == ("0x0000", 2, clock.now)
    assert sent["OTHER"].sends == 1


def test_a_commitment_is_answered_once_and_only_if_it_was_asked(ledger):
    assert not ledger.answer_commitment("2.25.9", "success")
    ledger.ask_commitment("1.2", 1, "2.25.9", ["2.25.1"])
    assert ledger.commitment("2.25.9").event is None
    assert ledger.answer_commitment("2.25.9", "success")
    assert not ledger.answer_commitment("2.25.9", "failure")
    row = ledger.commitment("2.25.9")
    assert (row.event, row.sr_uids, row.study_uid) == ("success", ("2.25.1",), "1.2")
