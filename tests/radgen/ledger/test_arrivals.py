"""What an arrival does to the study it belongs to."""

from datetime import timedelta

import pytest

from radgen.domain.errors import StoreError
from radgen.domain.study import VersionState
from radgen.ledger.rows import (
    ArrivalKind,
    AssociationEnd,
    Priority,
    QuarantineRow,
    StudyFacts,
)

SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.33"


def test_nothing_was_read_of_a_new_journal(ledger):
    assert ledger.journal_position() is None


def test_a_first_image_makes_a_receiving_study(ledger, make_arrival, clock):
    touched = ledger.take_in([make_arrival("1.2.1.1"), make_arrival("1.2.1.2")], "17")
    assert touched == {"1.2"}
    assert ledger.journal_position() == "17"
    (study,) = ledger.receiving_studies()
    assert (study.study_uid, study.version, study.instance_count) == ("1.2", 1, 2)
    assert study.first_at == study.last_at == clock.now


def test_taking_the_same_lines_in_again_changes_nothing(ledger, make_arrival):
    lines = [
        make_arrival("1.2.1.1"),
        make_arrival("1.2.1.2"),
        make_arrival("1.2.1.2", kind=ArrivalKind.CONFLICT, path="conflict/2"),
        make_arrival("1.2.1.1", kind=ArrivalKind.DUPLICATE),
    ]
    ledger.take_in(lines, "4")
    before = ledger.study_detail("1.2")
    assert ledger.take_in(lines, "4") == set()
    assert ledger.study_detail("1.2") == before


def test_an_instance_that_stands_twice_in_one_stretch_counts_once(ledger, make_arrival):
    ledger.take_in([make_arrival(), make_arrival(), make_arrival(path="elsewhere")], "3")
    assert ledger.receiving_studies()[0].instance_count == 1
    assert len(ledger.study_detail("1.2").instances) == 1


def test_an_image_while_receiving_prolongs_the_same_version(ledger, make_arrival, clock):
    ledger.take_in([make_arrival("1.2.1.1")], "1")
    late = clock.now + timedelta(seconds=30)
    ledger.take_in([make_arrival("1.2.1.2", received_at=late)], "2")
    (study,) = ledger.receiving_studies()
    assert (study.version, study.instance_count) == (1, 2)
    assert (study.first_at, study.last_at) == (clock.now, late)


def test_a_late_image_opens_the_next_version(ledger, make_arrival, clock):
    ledger.take_in([make_arrival("1.2.1.1")], "1")
    ledger.complete("1.2", 1, "quiet", 0)
    late = clock.now + timedelta(hours=1)
    ledger.take_in([make_arrival("1.2.1.2", received_at=late)], "2")
    (study,) = ledger.receiving_studies()
    assert (study.version, study.instance_count, study.first_at) == (2, 2, late)
    states = [row.state for row in ledger.study_detail("1.2").versions]
    assert states == [VersionState.RECEIVING, VersionState.COMPLETE]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": ArrivalKind.DUPLICATE},
        {"kind": ArrivalKind.CONFLICT, "path": "conflict/1"},
        {"sop_uid": "1.2.9.1", "is_image": False, "sop_class_uid": SR_CLASS, "modality": "SR"},
    ],
    ids=["duplicate", "conflict", "our own draft coming back"],
)
def test_what_is_not_a_new_image_opens_no_version(ledger, make_arrival, clock, change):
    ledger.take_in([make_arrival()], "1")
    ledger.complete("1.2", 1, "quiet", 0)
    later = clock.now + timedelta(hours=1)
    assert ledger.take_in([make_arrival(received_at=later, **change)], "2") == set()
    assert ledger.receiving_studies() == []
    detail = ledger.study_detail("1.2")
    assert detail.study.last_at == clock.now
    assert len(detail.versions) == 1
    assert len(detail.instances) == 2


def test_a_conflict_is_counted_and_shown(ledger, make_arrival):
    ledger.take_in([make_arrival()], "1")
    ledger.take_in([make_arrival(kind=ArrivalKind.CONFLICT, path="conflict/1")], "2")
    detail = ledger.study_detail("1.2")
    assert detail.study.conflict_count == 1
    assert detail.study.instance_count == 1
    assert [row.event for row in detail.timeline] == ["received", "conflict"]


def test_an_object_without_images_makes_no_study(ledger, make_arrival):
    ledger.take_in([make_arrival(is_image=False)], "1")
    assert ledger.study_detail("1.2") is None
    ledger.take_in([make_arrival("1.2.1.2")], "2")
    assert ledger.study_detail("1.2").study.instance_count == 1


def test_the_first_fact_stays_and_stat_wins(ledger, make_arrival):
    ledger.take_in([make_arrival(facts=StudyFacts(body_part="CHEST"))], "1")
    facts = StudyFacts(patient_name="A^B", body_part="ABDOMEN", priority=Priority.STAT)
    ledger.take_in([make_arrival("1.2.1.2", facts=facts)], "2")
    ledger.take_in([make_arrival("1.2.1.3", facts=StudyFacts(patient_name="C"))], "3")
    study = ledger.study_detail("1.2").study
    assert (study.patient_name, study.body_part) == ("A^B", "CHEST")
    assert study.priority is Priority.STAT


def test_a_hostile_header_cannot_stop_the_journal(ledger, make_arrival):
    facts = StudyFacts(patient_name="A\0\ud800" + "x" * 5000, study_date="9" * 500)
    hostile = make_arrival(facts=facts, modality="M" * 500, calling_ae="\0")
    assert ledger.take_in([hostile], "1") == {"1.2"}
    study = ledger.study_detail("1.2").study
    assert study.patient_name.startswith("A?x")
    assert len(study.modality) == 64


def test_the_end_of_an_association_is_the_newest_one(ledger, make_arrival, clock):
    ends = [AssociationEnd("1.2", clock.now), AssociationEnd("1.2", clock.now - timedelta(1))]
    ledger.take_in([make_arrival()], "1", ends)
    ledger.take_in([], "2", [AssociationEnd("1.2", clock.now - timedelta(2))])
    assert ledger.receiving_studies()[0].association_ended_at == clock.now


def test_the_expected_count_is_kept_for_the_sweep(ledger, make_arrival, clock):
    assert not ledger.set_expected("1.2", 9)
    ledger.take_in([make_arrival()], "1")
    assert ledger.set_expected("1.2", 9)
    study = ledger.receiving_studies()[0]
    assert (study.expected_count, study.expected_at) == (9, clock.now)


def test_a_stretch_is_taken_in_wholly_or_not_at_all(ledger, make_arrival, clock):
    naive = clock.now.replace(tzinfo=None)
    with pytest.raises(StoreError):
        ledger.take_in([make_arrival("1.2.1.1"), make_arrival("1.2.1.2", received_at=naive)], "2")
    assert ledger.journal_position() is None
    assert ledger.study_detail("1.2") is None


def test_quarantine_names_each_file_once(ledger, clock):
    row = QuarantineRow("quarantine/1", clock.now, "no pixels", "CT1", 12)
    newer = QuarantineRow("quarantine/2", clock.now + timedelta(1), "cut off", "CT1", 3)
    ledger.take_in([], "1", quarantined=[row])
    ledger.record_quarantine(row)
    ledger.record_quarantine(newer)
    assert ledger.list_quarantine() == (newer, row)
