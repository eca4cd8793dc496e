"""All client roles against a real archive."""

import logging
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian, JPEGLSLossless

from radgen.demo.phantom import GB18030_TRAP_NAME, part10
from radgen.domain.errors import PeerRefusedError
from radgen.pacs.commitment import InstanceReference, request_commitment
from radgen.pacs.dicomweb import count_instances_qido, has_instance_qido
from radgen.pacs.echo import echo
from radgen.pacs.find import (
    StudyCount,
    count_instances,
    has_instance,
    list_instances,
    list_series,
    studies_between,
)
from radgen.pacs.retrieve import move_series, move_study
from radgen.pacs.store import send

pytestmark = pytest.mark.orthanc


@pytest.fixture
def archive(archive_and_listener):
    return archive_and_listener[0]


@pytest.fixture
def listener(archive_and_listener):
    return archive_and_listener[1]


def test_echo_measures_a_round_trip(archive):
    assert 0.0 < echo(archive.peer()) < 5000.0


def test_what_was_sent_is_counted_listed_and_found(archive, small_study):
    films = small_study(3)
    assert send(archive.peer(), films) == ()
    first = films[0]
    study, series = first.StudyInstanceUID, first.SeriesInstanceUID

    assert count_instances(archive.peer(), study) == StudyCount(series=1, instances=3)
    assert list_instances(archive.peer(), study) == {
        series: frozenset(film.SOPInstanceUID for film in films)
    }
    assert [s.modality for s in list_series(archive.peer(), study)] == ["DX"]
    assert has_instance(archive.peer(), study, series, first.SOPInstanceUID)
    assert not has_instance(archive.peer(), study, series, "1.2.3.4")


def test_qido_says_the_same_as_c_find(archive, small_study):
    films = small_study(2)
    send(archive.peer(), films)
    first = films[0]
    where = first.StudyInstanceUID, first.SeriesInstanceUID

    assert count_instances_qido(archive.peer(), where[0]) == StudyCount(series=1, instances=2)
    assert has_instance_qido(archive.peer(), *where, first.SOPInstanceUID)
    assert not has_instance_qido(archive.peer(), *where, "1.2.3.4")


def test_a_study_the_archive_has_not_is_none_and_not_zero(archive):
    assert count_instances(archive.peer(), "2.25.4711") is None
    assert count_instances_qido(archive.peer(), "2.25.4711") is None
    assert list_instances(archive.peer(), "2.25.4711") == {}
    assert not has_instance_qido(archive.peer(), "2.25.4711", "2.25.4712", "2.25.4713")


def test_files_bytes_and_datasets_can_be_sent_alike(archive, small_study, tmp_path):
    films = small_study(3)
    path = tmp_path / "film.dcm"
    path.write_bytes(part10(films[1]))
    send(archive.peer(), [films[0], path, part10(films[2])])
    assert count_instances(archive.peer(), films[0].StudyInstanceUID) == StudyCount(1, 3)


def test_several_syntaxes_travel_over_one_association_unchanged(archive, small_study):
    compressed = small_study(syntax=JPEGLSLossless)[0]
    implicit = small_study(syntax=ImplicitVRLittleEndian)[0]
    send(archive.peer(), [compressed, implicit])
    for film in (compressed, implicit):
        stored = dcmread(BytesIO(archive.fetch(film.SOPInstanceUID)))
        assert stored.file_meta.TransferSyntaxUID == film.file_meta.TransferSyntaxUID
        assert stored.PixelData == film.PixelData


def test_sending_again_is_a_success(archive, small_study):
    films = small_study(2)
    send(archive.peer(), films)
    send(archive.peer(), films)
    assert count_instances(archive.peer(), films[0].StudyInstanceUID) == StudyCount(1, 2)


def test_a_gb18030_name_with_delimiter_bytes_survives(archive, small_study):
    film = small_study(patient_name=GB18030_TRAP_NAME, charset="GB18030")[0]
    assert b"\x5c" in str(film.PatientName).encode("gb18030")
    send(archive.peer(), [film])

    stored = dcmread(BytesIO(archive.fetch(film.SOPInstanceUID)))
    assert stored.PatientName == GB18030_TRAP_NAME
    assert stored.PatientName.ideographic == "乗^乛"
    found = archive.qido("/studies", StudyInstanceUID=film.StudyInstanceUID)
    assert found[0]["00100010"]["Value"][0]["Ideographic"] == "乗^乛"


def test_studies_are_listed_by_their_date(archive, small_study):
    day = date(2025, 3, 14)
    film = small_study(day=day)[0]
    send(archive.peer(), [film])

    def listed(first, last):
        found = studies_between(archive.peer(), first, last)
        return {study.study_uid: study for study in found}

    the_day = listed(day, day)
    assert the_day[film.StudyInstanceUID].instances == 1
    assert the_day[film.StudyInstanceUID].modalities == ("DX",)
    assert film.StudyInstanceUID not in listed(day + timedelta(1), None)
    assert film.StudyInstanceUID in listed(None, day)
    assert film.StudyInstanceUID in listed(None, None)


def test_a_study_can_be_asked_to_be_sent_to_the_listener(archive, listener, small_study):
    films = small_study(2)
    send(archive.peer(), films)
    study = films[0].StudyInstanceUID
    assert move_study(archive.peer(), study, "RADGEN") == 2
    assert set(listener.uids(study)) == {film.SOPInstanceUID for film in films}
    assert move_series(archive.peer(), study, films[0].SeriesInstanceUID, "RADGEN") == 2


def test_moving_to_somebody_the_archive_does_not_know_is_refused(archive, small_study):
    film = small_study()[0]
    send(archive.peer(), [film])
    with pytest.raises(PeerRefusedError):
        move_study(archive.peer(), film.StudyInstanceUID, "NOBODY")


def test_the_commitment_report_arrives_at_the_listener(archive, listener, small_study):
    film = small_study()[0]
    send(archive.peer(), [film])
    stored = InstanceReference(film.SOPClassUID, film.SOPInstanceUID)
    lost = InstanceReference(film.SOPClassUID, "2.25.99")
    transaction = f"{film.StudyInstanceUID[:50]}.1"

    assert request_commitment(archive.peer(), transaction, [stored, lost]) is None

    def mine(receiver):
        return [e for e in receiver.commitments if e.TransactionUID == transaction]

    assert listener.wait_for(mine)
    report = mine(listener)[0]
    kept = [item.ReferencedSOPInstanceUID for item in report.ReferencedSOPSequence]
    failed = [item.ReferencedSOPInstanceUID for item in report.FailedSOPSequence]
    assert kept == [film.SOPInstanceUID]
    assert failed == ["2.25.99"]


def test_an_archive_that_does_not_know_us_refuses(archive):
    with pytest.raises(PeerRefusedError, match="rejected the association"):
        echo(replace(archive.peer(), our_aet="STRANGER"))


def test_nothing_of_the_patient_gets_into_the_log(archive, small_study, caplog):
    caplog.set_level(logging.DEBUG)
    film = small_study()[0]
    send(archive.peer(), [film])
    count_instances(archive.peer(), film.StudyInstanceUID)
    for secret in ("Zhang", "张", film.PatientID, film.StudyInstanceUID):
        assert secret not in caplog.text
