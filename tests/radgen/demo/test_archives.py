"""Both archives route a study when it is stable, again when it has grown, never for a report."""

import uuid
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radgen.demo import archive as archive_module
from radgen.demo.archive import SmallArchive, demo_archive
from radgen.demo.orthanc import ArchiveSettings, OrthancServer, configuration, find_orthanc
from radgen.demo.phantom import GB18030_TRAP_NAME, part10
from radgen.demo.phantom_header import StudySpec, as_file
from radgen.demo.phantom_kinds import dx_film
from radgen.domain.errors import PeerRefusedError, PeerUnreachableError
from radgen.pacs.find import count_instances, list_instances
from radgen.pacs.store import send


def film(key, number=1, **spec):
    made = StudySpec(key, spec.pop("patient_name", "Zhang^San=张^三"), **spec)
    pixels = np.full((32, 32), 100 * number, np.uint16)
    return dx_film(made, pixels, 0.4, ("CHEST", "PA"), number=number)


def report(of):
    """The least that an archive takes as a report on the study of `of`."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    ds.SOPInstanceUID = f"2.25.{uuid.uuid4().int}"
    for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "StudyDate", "StudyTime"):
        setattr(ds, keyword, of[keyword].value)
    ds.SeriesInstanceUID = f"2.25.{uuid.uuid4().int}"
    ds.Modality = "SR"
    ds.InstanceNumber = 1
    ds.ValueType = "CONTAINER"
    return as_file(ds, of.file_meta.TransferSyntaxUID)


@pytest.fixture(
    scope="module", params=[pytest.param(OrthancServer, marks=pytest.mark.orthanc), SmallArchive]
)
def routed(request, receiver_class, ports, tmp_path_factory):
    """A running archive and the listener it routes to."""
    if request.param is OrthancServer and find_orthanc() is None:
        pytest.skip("Orthanc is not installed")
    with receiver_class(ports()) as listener:
        folder = tmp_path_factory.mktemp("archive")
        settings = ArchiveSettings(
            folder, ports(), ports(), listener_port=listener.port, stable_age_s=1
        )
        with request.param(settings) as archive:
            yield archive, listener


def test_a_stable_study_is_routed_and_neither_its_report_nor_silence_routes_it_again(routed):
    archive, listener = routed
    key = str(uuid.uuid4())
    first, second, third = (film(key, number) for number in (1, 2, 3))
    study = first.StudyInstanceUID

    archive.upload(part10(first))
    archive.upload(part10(second))
    both = [first.SOPInstanceUID, second.SOPInstanceUID]
    assert listener.wait_for(lambda r: sorted(r.uids(study)) == sorted(both))

    send(archive.peer(), [report(first)])
    assert count_instances(archive.peer(), study).instances == 3
    assert listener.quiet_for(3.5)  # stable after 1 s, looked at each second
    assert sorted(listener.uids(study)) == sorted(both)

    archive.upload(part10(third))
    assert listener.wait_for(lambda r: third.SOPInstanceUID in r.uids(study))
    assert listener.quiet_for(1.0)
    again = [*both, *both, third.SOPInstanceUID]
    assert sorted(listener.uids(study)) == sorted(again)
    assert {ds.Modality for ds in listener.received} == {"DX"}


def test_what_was_stored_comes_back_with_its_name_and_pixels(routed):
    archive, _ = routed
    sent = film(str(uuid.uuid4()), patient_name=GB18030_TRAP_NAME, charset="GB18030")
    archive.upload(part10(sent))
    back = dcmread(BytesIO(archive.fetch(sent.SOPInstanceUID)))
    assert back.PatientName == GB18030_TRAP_NAME
    assert back.PixelData == sent.PixelData
    assert list_instances(archive.peer(), sent.StudyInstanceUID) == {
        sent.SeriesInstanceUID: frozenset({sent.SOPInstanceUID})
    }


def test_what_the_archive_has_not_cannot_be_fetched(routed):
    with pytest.raises(PeerRefusedError):
        routed[0].fetch("2.25.4711")


@pytest.mark.orthanc
def test_a_program_that_cannot_start_says_so_soon(ports, tmp_path, receiver_class):
    if find_orthanc() is None:
        pytest.skip("Orthanc is not installed")
    with receiver_class(ports()) as occupied:
        settings = ArchiveSettings(tmp_path, occupied.port, ports())
        with pytest.raises(PeerUnreachableError, match=r"orthanc\.log"):
            OrthancServer(settings).start(20.0)


def test_without_orthanc_the_small_archive_is_used_and_named(monkeypatch, ports, tmp_path):
    monkeypatch.setattr(archive_module, "find_orthanc", lambda: None)
    said = []
    archive = demo_archive(ArchiveSettings(tmp_path, ports(), ports()), said.append)
    assert isinstance(archive, SmallArchive)
    assert "small archive" in said[0]
    assert not archive.peer().commitment


def test_orthanc_takes_dicom_from_this_machine_and_known_titles_only(tmp_path):
    settings = ArchiveSettings(tmp_path, 4242, 8042, others={"MODALITY": 4711})
    config = configuration(settings, tmp_path / "plugin.so")
    assert config["RemoteAccessAllowed"] is False
    assert config["DicomCheckModalityHost"] is True
    assert config["DicomAlwaysAllowStore"] is False
    assert {m["Host"] for m in config["DicomModalities"].values()} == {"127.0.0.1"}
    assert config["DicomModalities"]["radgen"]["AET"] == "RADGEN"
