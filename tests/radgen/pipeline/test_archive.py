"""What the archive has against what we have."""

from datetime import date

import pytest

from radgen.dicom.draft_uids import DocumentKind, series_uid
from radgen.domain.errors import PeerRefusedError
from radgen.domain.study import NO_IMAGE_MODALITIES
from radgen.pipeline.archive import Gap, count_images, fetch_gaps, find_gaps, reconcile

DAY = date(2026, 1, 5)


def test_only_images_are_counted(open_archive, peer):
    others = [("1.2", f"1.2.9.{n}", m, 4) for n, m in enumerate(sorted(NO_IMAGE_MODALITIES))]
    open_archive(series=[("1.2", "1.2.1", "CT", 100), ("1.2", "1.2.2", "OT", 2), *others])
    assert count_images(peer, "1.2") == 102


def test_the_pictures_of_our_own_drafts_are_not_counted(open_archive, peer):
    ours = [
        ("1.2", series_uid("1.2", version, DocumentKind.PICTURE), "OT", 1) for version in (1, 2, 7)
    ]
    open_archive(series=[("1.2", "1.2.1", "DX", 1), *ours])
    assert count_images(peer, "1.2") == 1


@pytest.mark.parametrize(
    "series",
    [
        [],
        [("1.2", "1.2.1", "SR", 1)],
        [("1.2", "1.2.1", "CT", ""), ("1.2", "1.2.2", "CT", 5)],
        [("1.3", "1.3.1", "CT", 5)],
    ],
    ids=["empty", "a report only", "one uncounted", "another study"],
)
def test_an_archive_that_cannot_say_gives_no_count(open_archive, peer, series):
    open_archive(series=series)
    assert count_images(peer, "1.2") is None


@pytest.fixture
def known(file_study, phantom_files):
    """UID of a study of which we have two images."""
    return file_study(phantom_files("chest two views"))[0]


def test_gaps_are_studies_of_which_the_archive_has_more(open_archive, peer, ledger, known):
    open_archive(
        series=[(known, "1.1", "DX", 3), ("1.2", "1.2.1", "DX", 1), ("1.3", "1.3.1", "SR", 1)]
    )
    found = {gap.study_uid: gap for gap in find_gaps(ledger, peer, DAY, DAY)}
    assert found == {known: Gap(known, 3, 2), "1.2": Gap("1.2", 1, 0)}


def test_a_study_we_have_whole_is_no_gap(open_archive, peer, ledger, known):
    open_archive(series=[(known, "1.1", "DX", 2), (known, "1.2", "SR", 2)])
    assert find_gaps(ledger, peer, DAY, DAY) == []


def test_a_gap_is_fetched_by_asking_the_archive_to_send(open_archive, peer):
    archive = open_archive()
    assert fetch_gaps(peer, [Gap("1.2", 3, 2), Gap("1.3", 1, 0)]) == 2
    assert archive.moved == ["1.2", "1.3"]


def test_a_study_that_cannot_be_sent_keeps_no_other_back(open_archive, peer):
    archive = open_archive(refused_moves=("1.2",))
    with pytest.raises(PeerRefusedError):
        fetch_gaps(peer, [Gap("1.2", 3, 2), Gap("1.3", 1, 0)])
    assert archive.moved == ["1.2", "1.3"]


@pytest.mark.parametrize(
    ("fetch", "fetched"), [("none", []), ("known", ["known"]), ("all", ["1.2", "known"])]
)
def test_reconciling_fetches_what_it_is_told_to(open_archive, peer, ledger, known, fetch, fetched):
    archive = open_archive(series=[(known, "1.1", "DX", 3), ("1.2", "1.2.1", "DX", 1)])
    assert len(reconcile(ledger, peer, DAY, 2, fetch)) == 2
    assert sorted(archive.moved) == sorted(known if uid == "known" else uid for uid in fetched)
