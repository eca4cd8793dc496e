"""The steps of one version: repeated, cut off anywhere, and with a newer version behind them."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from radgen.domain.errors import InferenceUnavailableError, PeerUnreachableError, StoreError
from radgen.domain.study import VersionState
from radgen.pipeline.reading import read_study, to_report
from radgen.pipeline.steps import utc_now

S = VersionState


@pytest.fixture
def film(file_study, phantom_files):
    """A complete version of one film; its key."""
    return file_study(phantom_files("chest normal"))


@pytest.fixture
def add_image(file_study, phantom_files, tmp_path):
    """A late film comes into the same study; the key of the next version."""

    def add(number):
        ds = dcmread(phantom_files("chest normal")[0])
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number}"
        path = tmp_path / f"late-{number}.dcm"
        ds.save_as(path)
        return file_study([path])

    return add


@pytest.fixture
def read_film(film, phantom_files, room, clock):
    """What the engine says now of the film, as a report that is not recorded."""

    def read():
        structure = read_study(phantom_files("chest normal"), room, 0).structure
        return to_report(structure, *film, clock(), None)

    return read


def state_of(ledger, key):
    return ledger.version(*key).state


def events(ledger, key):
    return [row.event for row in ledger.study_detail(key[0]).timeline if row.version == key[1]]


def carry(steps, key):
    steps.draft(*key)
    steps.give_back(*key)
    steps.confirm(*key)


def test_a_version_goes_from_complete_to_confirmed(steps, film, ledger, open_archive):
    archive = open_archive()
    carry(steps, film)
    row = ledger.version(*film)
    assert (row.state, row.attempts, row.confirm_method) == (S.CONFIRMED, 1, "c-find")
    assert (row.pack, row.engine, row.refusal) == ("cxr-adult 0.1.0", "told", None)
    sent = ledger.study_detail(film[0]).sent
    assert {each.sr_uid for each in sent} == {ds.SOPInstanceUID for ds in archive.stored}
    assert {(each.peer, each.status, each.sends) for each in sent} == {("archive", "0x0000", 1)}
    assert events(ledger, film)[-4:] == ["read", "drafted", "returned", "confirmed"]


def test_a_refused_study_is_returned_too(steps, file_study, phantom_files, ledger, open_archive):
    archive = open_archive()
    key = file_study(phantom_files("hand"))
    carry(steps, key)
    row = ledger.version(*key)
    assert (row.state, row.refusal, row.pack) == (S.CONFIRMED, "wrong-body-part", "none")
    assert {ds.CompletionFlag for ds in archive.stored} == {"PARTIAL"}


def test_missing_images_make_the_report_partial(
    steps, file_study, phantom_files, ledger, open_archive
):
    archive = open_archive()
    key = file_study(phantom_files("chest normal"), missing=2)
    carry(steps, key)
    assert ledger.draft(*key).report.structure.missing == 2
    assert {ds.CompletionFlag for ds in archive.stored} == {"PARTIAL"}


def test_each_step_repeated_changes_nothing(steps, film, ledger, engine, open_archive):
    archive = open_archive()
    for step in (steps.draft, steps.give_back, steps.confirm):
        step(*film)
        before, stored = ledger.study_detail(film[0]), len(archive.stored)
        step(*film)
        assert (ledger.study_detail(film[0]), len(archive.stored)) == (before, stored)
    assert engine.reads == 1


def test_a_step_out_of_its_turn_does_nothing(steps, film, ledger, open_archive):
    open_archive()
    before = ledger.study_detail(film[0])
    steps.give_back(*film)
    steps.confirm(*film)
    steps.draft("1.2.3", 1)
    steps.give_back("1.2.3", 1)
    steps.confirm("1.2.3", 1)
    assert ledger.study_detail(film[0]) == before


def test_an_engine_that_fails_leaves_the_version_to_be_drafted(steps, film, ledger, engine):
    engine.fault = InferenceUnavailableError("gone")
    with pytest.raises(InferenceUnavailableError):
        steps.draft(*film)
    assert state_of(ledger, film) is S.DRAFTING
    engine.fault = None
    steps.draft(*film)
    row = ledger.version(*film)
    assert (row.state, row.attempts) == (S.DRAFTED, 1)


def test_the_first_draft_wins_though_a_second_reading_differs(
    steps, film, ledger, engine, read_film
):
    """The process died between the draft row and the move; the engine now says something else."""
    ledger.move(*film, (S.COMPLETE,), S.DRAFTING)
    first = read_film()
    ledger.record_draft(first, "told")
    engine.score = -9.0
    steps.draft(*film)
    assert engine.reads == 1
    assert ledger.draft(*film).report == first
    assert state_of(ledger, film) is S.DRAFTED


def test_of_two_that_read_at_once_both_go_on_with_the_same_draft(
    steps, film, ledger, engine, read_film
):
    ledger.move(*film, (S.COMPLETE,), S.DRAFTING)
    first = read_film()
    engine.score = -9.0
    second = read_film()
    assert first.structure != second.structure
    assert ledger.record_draft(first, "told") == first
    assert ledger.record_draft(second, "told") == first
    steps.draft(*film)
    assert ledger.draft(*film).report == first


def test_what_was_sent_before_a_crash_is_sent_again_as_the_same(
    steps, film, ledger, desk, open_archive
):
    """The process died between the archive's answer and the move."""
    archive = open_archive()
    steps.draft(*film)
    sources = [Path(row.path) for row in ledger.version_instances(*film)]
    desk.send(desk.build(ledger.draft(*film).report, sources))
    sent = sorted(ds.SOPInstanceUID for ds in archive.stored)
    steps.give_back(*film)
    again = sorted(ds.SOPInstanceUID for ds in archive.stored[len(sent) :])
    assert again == sent
    assert sorted(ledger.draft(*film).sr_uids) == sent


def test_an_archive_that_is_away_leaves_the_draft_to_be_sent(steps, film, ledger, open_archive):
    steps.draft(*film)
    with pytest.raises(PeerUnreachableError):
        steps.give_back(*film)
    assert state_of(ledger, film) is S.DRAFTED
    # Named before they were sent: whatever the archive may hold, the ledger knows of.
    assert len(ledger.draft(*film).sr_uids) == 2
    open_archive()
    steps.give_back(*film)
    assert state_of(ledger, film) is S.RETURNED


def test_a_newer_version_names_and_replaces_the_older(steps, film, ledger, add_image, open_archive):
    archive = open_archive()
    carry(steps, film)
    newer = add_image(1)
    carry(steps, newer)
    report = ledger.draft(*newer).report
    assert (report.predecessor, report.predecessor_version) == (ledger.draft(*film).sr_uids[0], 1)
    assert [state_of(ledger, key) for key in (film, newer)] == [S.REPLACED, S.CONFIRMED]
    assert len(ledger.version_instances(*newer)) == 2
    last = archive.stored[-1]
    (study,) = last.PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID in ledger.draft(*film).sr_uids


def test_a_version_that_never_was_sent_is_no_predecessor(steps, film, ledger, add_image):
    steps.draft(*film)
    newer = add_image(1)
    steps.draft(*newer)
    assert ledger.draft(*newer).report.predecessor is None


def test_the_chain_goes_past_a_version_without_a_draft(
    steps, film, ledger, add_image, open_archive
):
    open_archive()
    carry(steps, film)
    failed, last = add_image(1), None
    steps.give_up(*failed, "broken")
    last = add_image(2)
    carry(steps, last)
    report = ledger.draft(*last).report
    assert (report.predecessor, report.predecessor_version) == (ledger.draft(*film).sr_uids[0], 1)
    assert [state_of(ledger, key) for key in (film, failed, last)] == [
        S.REPLACED,
        S.REPLACED,
        S.CONFIRMED,
    ]


def test_work_on_a_replaced_version_stops(steps, film, ledger, add_image, open_archive):
    archive = open_archive()
    steps.draft(*film)
    newer = add_image(1)
    carry(steps, newer)
    stored = len(archive.stored)
    steps.give_back(*film)
    steps.give_up(*film, "late")
    assert (state_of(ledger, film), len(archive.stored)) == (S.REPLACED, stored)


@pytest.mark.parametrize("reached", [S.COMPLETE, S.DRAFTING, S.DRAFTED])
def test_what_is_given_up_says_why_and_counts_its_attempt(steps, film, ledger, reached):
    if reached is S.DRAFTING:
        ledger.move(*film, (S.COMPLETE,), S.DRAFTING)
    elif reached is S.DRAFTED:
        steps.draft(*film)
    steps.give_up(*film, "StudyError: no")
    steps.give_up(*film, "another reason")
    row = ledger.version(*film)
    assert (row.state, row.failure, row.attempts) == (S.FAILED, "StudyError: no", 1)


def test_what_is_done_or_unknown_is_not_given_up(steps, film, ledger, open_archive):
    open_archive()
    carry(steps, film)
    steps.give_up(*film, "late")
    steps.give_up("1.2.3", 1, "unknown")
    assert state_of(ledger, film) is S.CONFIRMED


def test_a_retry_after_a_failed_return_drafts_nothing_anew(
    steps, film, ledger, engine, open_archive
):
    steps.draft(*film)
    kept = ledger.draft(*film)
    steps.give_up(*film, "PeerUnreachableError: away")
    ledger.move(*film, (S.FAILED,), S.COMPLETE)
    open_archive()
    carry(steps, film)
    assert (engine.reads, ledger.draft(*film).report) == (1, kept.report)
    assert ledger.version(*film).attempts == 2


def test_a_drafted_version_without_a_draft_is_a_fault_of_the_store(steps, film, ledger):
    for source, target in ((S.COMPLETE, S.DRAFTING), (S.DRAFTING, S.DRAFTED)):
        ledger.move(*film, (source,), target)
    with pytest.raises(StoreError, match="has no draft"):
        steps.give_back(*film)


def test_documents_travel_as_they_were_built(steps, film, ledger, desk, open_archive):
    archive = open_archive()
    carry(steps, film)
    sources = [Path(row.path) for row in ledger.version_instances(*film)]
    built = desk.build(ledger.draft(*film).report, sources)
    for document, stored in zip(built, archive.stored, strict=True):
        assert stored == dcmread(DicomBytesIO(document.data))


def test_the_clock_of_a_draft_has_whole_seconds_and_a_zone():
    now = utc_now()
    assert (now.microsecond, now.utcoffset()) == (0, timedelta(0))
