"""Moves between states: guarded, stamped, and noted in a timeline nobody can rewrite."""

from itertools import pairwise

import pytest
import sqlalchemy as sa

from radgen.domain.study import VersionState as State
from radgen.ledger.rows import Priority, StudyFacts


@pytest.fixture
def complete(ledger, make_arrival):
    """A ledger whose study 1.2 has a complete version 1."""
    ledger.take_in([make_arrival("1.2.1.1"), make_arrival("1.2.1.2")], "2")
    assert ledger.complete("1.2", 1, "quiet", 0)
    return ledger


def walk(ledger, *states):
    for before, after in pairwise(states):
        assert ledger.move("1.2", 1, [before], after)


def test_completion_freezes_the_list_of_images(ledger, make_arrival):
    ledger.take_in([make_arrival("1.2.1.1"), make_arrival("1.2.9", is_image=False)], "2")
    assert ledger.complete("1.2", 1, "count agrees", None, seen_count=1)
    ledger.take_in([make_arrival("1.2.1.2")], "3")
    ledger.complete("1.2", 2, "quiet", 3)
    first = [row.sop_uid for row in ledger.version_instances("1.2", 1)]
    second = [row.sop_uid for row in ledger.version_instances("1.2", 2)]
    assert first == ["1.2.1.1"]
    assert second == ["1.2.1.1", "1.2.1.2"]
    newest, oldest = ledger.study_detail("1.2").versions
    assert (oldest.complete_reason, oldest.missing) == ("count agrees", None)
    assert (newest.complete_reason, newest.missing) == ("quiet", 3)


def test_an_image_since_the_decision_voids_the_completion(ledger, make_arrival):
    ledger.take_in([make_arrival("1.2.1.1"), make_arrival("1.2.1.2")], "2")
    assert not ledger.complete("1.2", 1, "quiet", 0, seen_count=1)
    assert ledger.receiving_studies()[0].version == 1
    assert ledger.version_instances("1.2", 1) == []


def test_only_one_of_two_movers_wins(complete):
    assert not complete.complete("1.2", 1, "again", 0)
    assert complete.move("1.2", 1, [State.COMPLETE], State.DRAFTING)
    assert not complete.move("1.2", 1, [State.COMPLETE], State.DRAFTING)
    assert complete.version("1.2", 1).attempts == 1


def test_each_state_is_stamped_with_its_time(complete, clock):
    stamps = []
    path = [State.COMPLETE, State.DRAFTING, State.DRAFTED, State.RETURNED]
    for before, after in pairwise(path):
        clock.forward(5)
        complete.move("1.2", 1, [before], after)
        stamps.append(clock.now)
    clock.forward(5)
    complete.move(
        "1.2", 1, [State.RETURNED], State.CONFIRMED, confirm_method="commitment", pack="cxr 1"
    )
    row = complete.version("1.2", 1)
    assert [row.started_at, row.drafted_at, row.returned_at] == stamps
    assert (row.confirmed_at, row.confirm_method, row.pack) == (clock.now, "commitment", "cxr 1")
    events = [row.event for row in complete.study_detail("1.2").timeline]
    assert events == ["received", "complete", "drafting", "drafted", "returned", "confirmed"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.RECEIVING, State.COMPLETE),
        (State.COMPLETE, State.RETURNED),
        (State.CONFIRMED, State.FAILED),
        (State.REPLACED, State.COMPLETE),
    ],
)
def test_a_move_that_the_rules_do_not_know_is_an_error(complete, before, after):
    with pytest.raises(ValueError, match="never moves"):
        complete.move("1.2", 1, [before], after)


def test_a_failed_version_is_a_dead_letter_until_it_is_tried_again(complete):
    walk(complete, State.COMPLETE, State.DRAFTING)
    complete.move("1.2", 1, [State.DRAFTING], State.FAILED, failure="x\0" * 400)
    (letter,) = complete.dead_letters()
    assert letter.version.failure == "x" * 400
    assert (letter.modality, letter.version.attempts) == ("CT", 1)
    walk(complete, State.FAILED, State.COMPLETE)
    assert complete.dead_letters() == []
    assert complete.version("1.2", 1).failure is None


def test_a_failed_version_with_a_successor_is_no_dead_letter(complete, make_arrival):
    walk(complete, State.COMPLETE, State.FAILED)
    complete.take_in([make_arrival("1.2.1.3")], "3")
    assert complete.dead_letters() == []


def test_an_old_version_moves_on_without_touching_the_current_one(complete, make_arrival):
    complete.take_in([make_arrival("1.2.1.3")], "3")
    walk(complete, State.COMPLETE, State.DRAFTING, State.REPLACED)
    assert complete.study_detail("1.2").study.state is State.RECEIVING
    assert complete.counts_by_state()[State.RECEIVING] == 1
    assert complete.versions_in([State.REPLACED])[0].version == 1


def test_an_unknown_version_does_not_move(ledger):
    assert not ledger.move("9.9", 1, [State.COMPLETE], State.DRAFTING)
    assert not ledger.complete("9.9", 1, "quiet", 0)
    assert ledger.version("9.9", 1) is None


@pytest.mark.parametrize("statement", ["UPDATE timeline SET event = 'x'", "DELETE FROM timeline"])
def test_the_timeline_can_be_neither_changed_nor_deleted(complete, engine, statement):
    before = complete.study_detail("1.2").timeline
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    assert complete.study_detail("1.2").timeline == before


def test_an_event_keeps_its_detail(complete, clock):
    complete.record_event("1.2", 1, "selected", {"left out": ["LOCALIZER"], "count": 1})
    event = complete.study_detail("1.2").timeline[-1]
    assert (event.event, event.at) == ("selected", clock.now)
    assert event.detail == {"left out": ["LOCALIZER"], "count": 1}


def test_what_waits_for_a_step_is_told_stat_first(ledger, make_arrival):
    stat = StudyFacts(priority=Priority.STAT)
    for number, facts in enumerate([StudyFacts(), stat, StudyFacts()]):
        study_uid = f"1.{number}"
        ledger.take_in([make_arrival(study_uid=study_uid, facts=facts)], study_uid)
        ledger.complete(study_uid, 1, "quiet", 0)
    ledger.move("1.2", 1, [State.COMPLETE], State.DRAFTING)
    ready = ledger.ready_versions([State.COMPLETE])
    assert [(row.study_uid, row.priority) for row in ready] == [
        ("1.1", Priority.STAT),
        ("1.0", Priority.ROUTINE),
    ]


def test_the_images_of_a_study_are_counted(complete):
    assert complete.image_count("1.2") == 2
    assert complete.image_count("9.9") == 0
