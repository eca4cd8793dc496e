"""Where Orthanc is not installed, the archive of pynetdicom carries a demonstration."""

import pytest

from radgen.demo.archive import SmallArchive
from radgen.demo.phantom import phantom_study
from radgen.domain.study import VersionState


@pytest.fixture(scope="module")
def site(open_site):
    return open_site(archive=SmallArchive, stable_age_s=1)


def test_drafts_come_back_to_the_small_archive_and_are_confirmed_by_query(site):
    studies = [phantom_study("chest normal"), phantom_study("hand")]
    site.upload(studies)
    site.wait_for_state([each.study_uid for each in studies], VersionState.CONFIRMED, 90)
    for study in studies:
        (version,) = site.detail(study.study_uid).versions
        assert version.confirm_method == "c-find"
        back = site.read_back(study.study_uid)
        assert back.faults == ()
        assert back.report is not None
    assert back.report.structure.refusal == "wrong-body-part"
