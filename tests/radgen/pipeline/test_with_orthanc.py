"""Drafts go to a real archive, which is asked for them in each way it offers."""

import socket
from dataclasses import replace

import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from radgen.demo.orthanc import ArchiveSettings, OrthancServer, find_orthanc
from radgen.domain.errors import PeerRefusedError
from radgen.domain.study import VersionState
from radgen.pipeline.archive import count_images
from radgen.pipeline.returning import ReturnDesk

pytestmark = pytest.mark.orthanc


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    if find_orthanc() is None:
        pytest.skip("Orthanc is not installed")
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in (one, two)]
    with OrthancServer(ArchiveSettings(tmp_path_factory.mktemp("orthanc"), *ports)) as server:
        yield server


@pytest.fixture(params=[("chest normal", "qido"), ("chest effusion left", "c-find")])
def film(request, file_study, phantom_files):
    """Key and files of a complete version of one film, and how its archive is asked."""
    name, method = request.param
    return file_study(phantom_files(name)), phantom_files(name), method


def test_a_draft_is_stored_once_and_found_again(orthanc, film, steps, settings):
    key, paths, method = film
    url = orthanc.dicomweb_url if method == "qido" else ""
    archive = replace(orthanc.peer(), commitment=False, dicomweb_url=url)
    steps._desk = ReturnDesk(archive, replace(settings, picture_copy=True))
    for _ in range(2):
        steps.draft(*key)
        steps.give_back(*key)
        steps.confirm(*key)
    row = steps._ledger.version(*key)
    assert (row.state, row.confirm_method) == (VersionState.CONFIRMED, method)
    uids = steps._ledger.draft(*key).sr_uids
    assert len(uids) == 3
    for uid in uids:
        stored = dcmread(DicomBytesIO(orthanc.fetch(uid)))
        assert stored.SeriesDescription.startswith("AI DRAFT")
    # The archive holds our documents only, and none of them is an image of the study.
    assert count_images(archive, key[0]) is None
    for path in paths:
        orthanc.upload(path.read_bytes())
    assert count_images(archive, key[0]) == 1


def test_what_was_never_sent_is_not_confirmed(
    orthanc, file_study, phantom_files, steps, ledger, settings
):
    key = file_study(phantom_files("hand"))
    steps.draft(*key)
    desk = ReturnDesk(replace(orthanc.peer(), commitment=False), settings)
    documents = desk.build(ledger.draft(*key).report, phantom_files("hand"))
    with pytest.raises(PeerRefusedError, match="does not have"):
        desk.confirm(documents, ledger, key, 1)
