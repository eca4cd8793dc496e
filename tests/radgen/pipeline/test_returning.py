"""Documents of a draft, and what an archive makes of them; the archive answers as it is told."""

import hashlib
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.uid import ComprehensiveSRStorage, SecondaryCaptureImageStorage

from radgen.dicom.draft_uids import DocumentKind, series_uid
from radgen.domain.errors import (
    DocumentError,
    PeerRefusedError,
    PeerUnreachableError,
    StudyError,
    UnreadableInstanceError,
)
from radgen.domain.report import Section
from radgen.pipeline import returning
from radgen.pipeline.reading import read_study, to_report
from radgen.pipeline.returning import (
    BuildError,
    ReturnDesk,
    build_documents,
    transaction_uid,
)
from radgen.records import to_json

BUILD_AGAIN = Path(__file__).with_name("build_again.py")


@pytest.fixture
def sources(phantom_files):
    return phantom_files("chest normal")


@pytest.fixture
def report(sources, room, clock):
    structure = read_study(sources, room, 0).structure
    uid = str(dcmread(sources[0]).StudyInstanceUID)
    return to_report(structure, uid, 1, clock(), None)


@pytest.fixture
def documents(report, sources, settings):
    return build_documents(report, sources, settings)


@pytest.fixture
def committing(peer, settings):
    return ReturnDesk(replace(peer, commitment=True), settings)


@pytest.fixture
def answer_later(ledger):
    """What the worker does when the listener heard the archive's answer, a moment from now."""
    threads = []

    def answer(archive, uid, event):
        def wait_and_answer():
            while uid not in archive.questions:
                time.sleep(0.02)
            assert ledger.answer_commitment(uid, event)

        threads.append(threading.Thread(target=wait_and_answer))
        threads[0].start()

    yield answer
    for thread in threads:
        thread.join(10)


# Building


def test_a_draft_makes_one_report_a_language(documents, report):
    assert [each.sop_class_uid for each in documents] == [ComprehensiveSRStorage] * 2
    assert {each.study_uid for each in documents} == {report.study_uid}
    assert [each.series_uid for each in documents] == [
        series_uid(report.study_uid, 1, kind)
        for kind in (DocumentKind.CHINESE, DocumentKind.ENGLISH)
    ]
    for each in documents:
        assert dcmread(DicomBytesIO(each.data)).SOPInstanceUID == each.sop_uid


def test_the_same_draft_makes_the_same_bytes(report, sources, settings):
    pictured = replace(settings, picture_copy=True)
    assert build_documents(report, sources, pictured) == build_documents(report, sources, pictured)


def test_another_process_makes_the_same_bytes(report, sources, settings, tmp_path):
    built = build_documents(report, sources, replace(settings, picture_copy=True))
    file = tmp_path / "report.json"
    file.write_text(to_json(report), "utf-8")
    command = [sys.executable, "-W", "error", BUILD_AGAIN, file, sources[0]]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [hashlib.sha256(each.data).hexdigest() for each in built]


def test_a_later_time_makes_other_documents(report, sources, settings, documents, clock):
    later = build_documents(replace(report, drafted_at=clock()), sources, settings)
    assert not {each.sop_uid for each in later} & {each.sop_uid for each in documents}


def test_the_first_source_that_can_be_read_lends_the_patient(
    report, sources, settings, documents, tmp_path
):
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"no dicom")
    assert build_documents(report, [broken, *sources], settings) == documents
    with pytest.raises(UnreadableInstanceError, match="no instance"):
        build_documents(report, [broken], settings)


def test_a_document_that_breaks_its_template_is_never_sent(report, sources, settings):
    """Without its last sentence the AI label is gone."""
    text = report.texts[0]
    impression = next(s for s in text.sections if s.section is Section.IMPRESSION)
    cut = replace(impression, sentences=impression.sentences[:-1])
    sections = tuple(cut if s is impression else s for s in text.sections)
    unlabelled = replace(report, texts=(replace(text, sections=sections), *report.texts[1:]))
    with pytest.raises((BuildError, DocumentError)) as caught:
        build_documents(unlabelled, sources, settings)
    assert "label" in str(caught.value)
    assert issubclass(BuildError, StudyError)


def test_a_picture_of_the_text_travels_in_a_series_of_its_own(
    report, sources, documents, ledger, desk, open_archive
):
    archive = open_archive()
    desk = ReturnDesk(desk.peer, replace(desk._settings, picture_copy=True))
    *reports, picture = desk.build(report, sources)
    assert tuple(reports) == documents
    assert picture.sop_class_uid == SecondaryCaptureImageStorage
    assert picture.series_uid == series_uid(report.study_uid, 1, DocumentKind.PICTURE)
    assert desk.send([*reports, picture]) == ("archive", "0x0000")
    assert archive.stored[-1].Modality == "OT"
    assert desk.confirm([*reports, picture], ledger, (report.study_uid, 1), 1) == "c-find"
    archive.stored.pop()  # the picture alone is lost
    with pytest.raises(PeerRefusedError, match="does not have"):
        desk.confirm([*reports, picture], ledger, (report.study_uid, 1), 1)


# Sending


def test_a_warning_of_the_archive_is_its_answer(documents, desk, open_archive):
    open_archive(store_status=0xB000)
    assert desk.send(documents) == ("archive", "0xB000")


def test_a_refusal_of_the_archive_is_an_error(documents, desk, open_archive):
    open_archive(store_status=0xA700)
    with pytest.raises(PeerRefusedError, match="0xA700"):
        desk.send(documents)


# Confirming


def test_an_archive_without_commitment_is_asked_what_it_has(
    documents, committing, ledger, open_archive
):
    archive = open_archive()
    committing.send(documents)
    assert committing.confirm(documents, ledger, ("1.2", 1), 1) == "c-find"
    assert archive.questions == []


def test_what_the_archive_does_not_have_is_not_confirmed(documents, desk, ledger, open_archive):
    open_archive(forgets=True)
    desk.send(documents)
    with pytest.raises(PeerRefusedError, match="does not have the draft"):
        desk.confirm(documents, ledger, ("1.2", 1), 1)


def test_a_promise_of_the_archive_confirms(
    documents, committing, ledger, open_archive, answer_later
):
    archive = open_archive(commits=0x0000, forgets=True)  # C-FIND would find nothing
    uid = transaction_uid(documents, 1)
    answer_later(archive, uid, "committed")
    assert committing.confirm(documents, ledger, ("1.2", 1), 1) == "commitment"
    assert archive.questions == [uid]
    row = ledger.commitment(uid)
    assert (row.study_uid, row.version, row.event) == ("1.2", 1, "committed")
    assert row.sr_uids == tuple(each.sop_uid for each in documents)


def test_a_promise_on_the_same_association_confirms_too(
    documents, committing, ledger, open_archive
):
    open_archive(commits=0x0000, forgets=True, promises_at_once=True)
    assert committing.confirm(documents, ledger, ("1.2", 1), 1) == "commitment"
    assert ledger.commitment(transaction_uid(documents, 1)).event == "committed"


def test_an_answer_that_is_there_already_is_not_asked_for_again(
    documents, committing, ledger, open_archive
):
    archive = open_archive(commits=0x0000)
    uid = transaction_uid(documents, 1)
    ledger.ask_commitment("1.2", 1, uid, [])
    ledger.answer_commitment(uid, "committed")
    assert committing.confirm(documents, ledger, ("1.2", 1), 1) == "commitment"
    assert archive.questions == []


def test_an_archive_that_does_not_keep_them_is_believed(
    documents, committing, ledger, open_archive, answer_later
):
    archive = open_archive(commits=0x0000)
    answer_later(archive, transaction_uid(documents, 1), "failed")
    with pytest.raises(PeerRefusedError, match="does not keep"):
        committing.confirm(documents, ledger, ("1.2", 1), 1)


def test_after_silence_the_archive_is_asked_what_it_has(
    documents, committing, ledger, open_archive, monkeypatch
):
    monkeypatch.setattr(returning, "COMMITMENT_WAIT_S", 0.3)
    archive = open_archive(commits=0x0000)
    committing.send(documents)
    assert committing.confirm(documents, ledger, ("1.2", 1), 1) == "c-find"
    assert len(archive.questions) == 1


def test_a_refused_question_is_no_fault(documents, committing, ledger, open_archive):
    archive = open_archive(commits=0x0110)
    committing.send(documents)
    begin = time.monotonic()
    for _ in range(2):
        assert committing.confirm(documents, ledger, ("1.2", 1), 1) == "c-find"
    assert time.monotonic() - begin < returning.COMMITMENT_WAIT_S
    assert set(archive.questions) == {transaction_uid(documents, 1)}


def test_a_question_that_never_reached_the_archive_is_asked_again(
    documents, committing, ledger, open_archive
):
    with pytest.raises(PeerUnreachableError):
        committing.confirm(documents, ledger, ("1.2", 1), 1)
    archive = open_archive(commits=0x0000, promises_at_once=True)
    assert committing.confirm(documents, ledger, ("1.2", 1), 1) == "commitment"
    assert len(archive.questions) == 1


def test_one_attempt_is_one_question(documents):
    assert transaction_uid(documents, 1) == transaction_uid(documents, 1)
    assert transaction_uid(documents, 1) != transaction_uid(documents, 2)
    assert transaction_uid(documents[:1], 1) != transaction_uid(documents, 1)
    assert len(transaction_uid(documents, 1)) <= 64
