"""Studies that come in pieces, twice, not at all, or in a hurry."""

import time
from datetime import date, timedelta
from io import BytesIO

import pytest
from pydicom import dcmread

from radgen.demo.phantom import phantom_study
from radgen.domain.report import Language, Section
from radgen.domain.study import VersionState

pytestmark = pytest.mark.orthanc

LONGEST_WAIT_S = 8.0
DAY = date(2026, 2, 1)


@pytest.fixture(scope="module")
def site(open_site):
    """An archive that does not route: the modality sends to it and to us."""
    site = open_site(
        sections={
            "completeness": {"longest_wait_s": LONGEST_WAIT_S},
            "priority": {"calling_aes": ["EMERGENCY"]},
        }
    )
    site.wait_for_worker()
    return site


@pytest.fixture(scope="module")
def wait_for(site_tools):
    return site_tools.wait_for


def ct_files(day):
    study = phantom_study("chest CT normal", day)
    return study.study_uid, list(study.files())


def archive_and_send(site, files, calling="MODALITY"):
    for content in files:
        site.archive.upload(content)
    site.send(files, calling)


def sr(site, uid):
    return dcmread(BytesIO(site.archive.fetch(uid)))


def test_images_that_come_later_make_a_second_version_that_names_the_first(site, wait_for, figures):
    study_uid, files = ct_files(DAY)
    archive_and_send(site, files[:30])
    site.wait_for_state([study_uid], VersionState.CONFIRMED, 60)
    first = site.detail(study_uid)
    assert first.versions[0].complete_reason == "count agrees: 30 of 30 images"
    begin = time.monotonic()
    archive_and_send(site, files[30:])
    wait_for(lambda: len(site.states(study_uid)) == 2, 20, "a second version")
    site.wait_for_state([study_uid], VersionState.CONFIRMED, 60)
    figures(f"late images: second version confirmed {time.monotonic() - begin:.1f} s after them")
    assert site.states(study_uid) == [VersionState.CONFIRMED, VersionState.REPLACED]
    second = site.detail(study_uid)
    assert second.versions[0].complete_reason == "count agrees: 40 of 40 images"
    new, old = second.drafts
    assert old == first.drafts[0]
    assert new.report.predecessor == old.sr_uids[0]
    assert site.read_back(study_uid).faults == ()
    (former,) = sr(site, new.sr_uids[0]).PredecessorDocumentsSequence
    (series,) = former.ReferencedSeriesSequence
    (document,) = series.ReferencedSOPSequence
    (purpose,) = document.PurposeOfReferenceCodeSequence
    assert document.ReferencedSOPInstanceUID == old.sr_uids[0]
    assert (purpose.CodeValue, purpose.CodingSchemeDesignator) == ("121362", "DCM")
    in_archive = site.srs_in_archive(study_uid)
    assert set(in_archive) == {*old.sr_uids, *new.sr_uids}
    assert series.SeriesInstanceUID == in_archive[old.sr_uids[0]]
    assert in_archive[new.sr_uids[0]] != in_archive[old.sr_uids[0]]


def test_the_same_images_again_make_no_new_version(site):
    study = phantom_study("chest two views", DAY)
    files = list(study.files())
    archive_and_send(site, files)
    site.wait_for_state([study.study_uid], VersionState.CONFIRMED, 60)
    before = site.detail(study.study_uid)
    for _ in range(2):
        site.send(files)
    # A study that comes after them shows that they were taken in.
    later = phantom_study("ultrasound", DAY)
    archive_and_send(site, list(later.files()))
    site.wait_for_state([later.study_uid], VersionState.CONFIRMED, 60)
    after = site.detail(study.study_uid)
    assert after.versions == before.versions
    assert after.drafts == before.drafts
    assert len(site.srs_in_archive(study.study_uid)) == 2
    repeated = [row.path for row in after.instances if row.kind == "duplicate"]
    assert len({row.path for row in after.instances} | {*repeated}) == len(files)


def test_images_that_never_come_are_counted_in_the_draft(site):
    study_uid, files = ct_files(DAY + timedelta(days=1))
    for content in files:
        site.archive.upload(content)
    site.send(files[:33])
    site.wait_for_state([study_uid], VersionState.CONFIRMED, 60)
    (version,) = site.detail(study_uid).versions
    assert version.missing == 7
    assert version.complete_reason == "longest wait of 8 s is over: 7 of 40 images missing"
    assert (version.complete_at - site.detail(study_uid).study.first_at).total_seconds() >= 8
    structure = site.read_back(study_uid).report.structure
    assert structure.missing == 7
    assert "incomplete-study" in structure.cautions
    for language, words in ((Language.ZH, "缺少 7"), (Language.EN, "7 missing")):
        assert words in impression(site, study_uid, language)
    site.send(files[33:])
    site.wait_for_state([study_uid], VersionState.CONFIRMED, 60)


def impression(site, study_uid, language):
    report = site.read_back(study_uid).report
    (text,) = (each for each in report.texts if each.language is language)
    return " ".join(
        sentence.text
        for section in text.sections
        if section.section in {Section.IMPRESSION, Section.TECHNIQUE, Section.FINDINGS}
        for sentence in section.sentences
    )


def test_an_urgent_study_overtakes_those_that_wait(site, figures):
    """One lane reads one CT at a time; the emergency room's comes last and is read at once."""
    days = [DAY + timedelta(days=10 + number) for number in range(5)]
    studies = [ct_files(day) for day in days]
    for _, files in studies:
        for content in files:
            site.archive.upload(content)
    for number, (_, files) in enumerate(studies):
        site.send(files, "EMERGENCY" if number == 4 else "MODALITY")
    uids = [uid for uid, _ in studies]
    site.wait_for_state(uids, VersionState.CONFIRMED, 120)
    versions = [site.detail(uid).versions[0] for uid in uids]
    urgent = versions[-1]
    overtaken = [each for each in versions[:-1] if each.drafted_at > urgent.drafted_at]
    waited = (urgent.started_at - urgent.complete_at).total_seconds()
    figures(f"STAT: started {waited:.1f} s after complete, overtook {len(overtaken)} of 4 CTs")
    assert site.detail(uids[-1]).study.priority == "stat"
    assert len(overtaken) >= 2
