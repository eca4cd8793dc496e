"""Complete or not, with a real ledger; the archive is a function that counts and remembers."""

import pytest

from radgen.completeness import CompletenessPolicy
from radgen.domain.errors import PeerUnreachableError
from radgen.domain.study import VersionState
from radgen.worker.intake import PriorityRules, take_in_journal
from radgen.worker.sweep import Sweep

POLICY = CompletenessPolicy(
    quiet_by_modality_s={"DX": 60.0}, settle_s=2.0, ask_archive_s=10.0, longest_wait_s=600.0
)


class Archive:
    """Answers with `count`; an error is raised, a function is called first."""

    def __init__(self, count):
        self.count, self.asked = count, []

    def __call__(self, study_uid):
        self.asked.append(study_uid)
        if isinstance(self.count, Exception):
            raise self.count
        return self.count() if callable(self.count) else self.count


@pytest.fixture
def receive(inbox, ledger, make_instance):
    """Stores images of the study with these numbers; returns its UID."""

    def store(*numbers):
        for number in numbers:
            uid = str(inbox.receive(make_instance(number)).study_uid)
        take_in_journal(ledger, inbox.root, PriorityRules())
        return uid

    return store


@pytest.fixture
def sweep_with(ledger):
    return lambda archive, policy=POLICY: Sweep(ledger, policy, archive)


def test_a_count_that_agrees_completes_after_arrivals_have_settled(
    receive, sweep_with, ledger, clock
):
    uid, archive = receive(1, 2), Archive(2)
    sweep = sweep_with(archive)
    assert sweep.close_complete(clock.forward(1)) == 0
    assert archive.asked == []  # images may still stream in
    assert sweep.close_complete(clock.forward(2)) == 1
    assert archive.asked == [uid]
    row = ledger.version(uid, 1)
    assert (row.state, row.missing) == (VersionState.COMPLETE, 0)
    assert row.complete_reason == "count agrees: 2 of 2 images"
    assert len(ledger.version_instances(uid, 1)) == 2
    assert sweep.close_complete(clock.forward(60)) == 0


def test_the_archive_is_asked_again_only_after_a_while(receive, sweep_with, clock):
    receive(1)
    archive = Archive(5)
    sweep = sweep_with(archive)
    for _ in range(8):
        sweep.close_complete(clock.forward(3))
    assert len(archive.asked) == 2  # at 3 s and at 15 s


def test_an_old_count_is_not_believed_after_a_newer_image(receive, sweep_with, ledger, clock):
    """The count of one image agrees with one image; then another comes."""
    uid, archive = receive(1), Archive(None)
    ledger.set_expected(uid, 1)
    clock.forward(1)
    receive(2)
    sweep = sweep_with(None)
    assert sweep.close_complete(clock.forward(5)) == 0
    archive.count = 3
    assert sweep_with(archive).close_complete(clock.forward(5)) == 0
    assert ledger.version(uid, 1).state is VersionState.RECEIVING


def test_a_newer_image_makes_a_new_question_due_at_once(receive, sweep_with, clock):
    receive(1)
    archive = Archive(2)
    sweep = sweep_with(archive)
    sweep.close_complete(clock.forward(3))
    clock.forward(1)
    receive(2)
    assert sweep.close_complete(clock.forward(3)) == 1
    assert len(archive.asked) == 2


def test_a_count_of_a_moment_ago_is_used_without_asking(receive, sweep_with, ledger, clock):
    uid = receive(1)
    archive = Archive(2)
    sweep = sweep_with(archive)
    sweep.close_complete(clock.forward(3))
    ledger.set_expected(uid, 1)
    assert sweep.close_complete(clock.forward(1)) == 1
    assert len(archive.asked) == 1


def test_an_archive_that_does_not_answer_is_not_fatal(receive, sweep_with, ledger, clock):
    uid, archive = receive(1), Archive(PeerUnreachableError("away"))
    sweep = sweep_with(archive)
    assert sweep.close_complete(clock.forward(3)) == 0
    assert sweep.close_complete(clock.forward(60)) == 1
    row = ledger.version(uid, 1)
    assert row.missing is None
    assert row.complete_reason.startswith("quiet for 63 s")


def test_without_an_archive_silence_decides(receive, sweep_with, ledger, clock):
    uid = receive(1)
    sweep = sweep_with(None)
    assert sweep.close_complete(clock.forward(59)) == 0
    assert sweep.close_complete(clock.forward(2)) == 1
    assert ledger.version(uid, 1).missing is None


def test_what_is_missing_is_said_when_the_longest_wait_is_over(receive, sweep_with, ledger, clock):
    uid = receive(1)
    sweep = sweep_with(Archive(4))
    assert sweep.close_complete(clock.forward(300)) == 0
    assert sweep.close_complete(clock.forward(301)) == 1
    assert ledger.version(uid, 1).missing == 3


def test_an_image_that_comes_while_the_archive_is_asked_voids_the_decision(
    receive, sweep_with, ledger, clock
):
    """The decision rests on one image; the second is in the ledger before it is written."""
    uid = receive(1)

    def answer_late():
        receive(2)
        return 1

    assert sweep_with(Archive(answer_late)).close_complete(clock.forward(3)) == 0
    assert ledger.version(uid, 1).state is VersionState.RECEIVING


def test_each_study_is_asked_for_by_itself(inbox, ledger, sweep_with, clock, make_instance):
    for key in ("a", "b"):
        inbox.receive(make_instance(key=key))
    take_in_journal(ledger, inbox.root, PriorityRules())
    archive = Archive(1)
    assert sweep_with(archive).close_complete(clock.forward(3)) == 2
    assert len(set(archive.asked)) == 2


def test_an_archive_that_hangs_is_asked_once_and_then_left_alone(
    inbox, ledger, sweep_with, clock, make_instance
):
    for key in ("one", "two", "three"):
        inbox.receive(make_instance(key=key))
    take_in_journal(ledger, inbox.root, PriorityRules())
    archive = Archive(PeerUnreachableError("hangs"))
    sweep = sweep_with(archive)
    sweep.close_complete(clock.forward(3))
    sweep.close_complete(clock.forward(20))
    assert len(archive.asked) == 1
    archive.count = 1
    assert sweep.close_complete(clock.forward(11)) == 3
    assert len(archive.asked) == 4


def test_what_the_archive_said_before_it_went_away_still_counts(receive, sweep_with, ledger, clock):
    uid, archive = receive(1), Archive(3)
    sweep = sweep_with(archive)
    sweep.close_complete(clock.forward(3))
    archive.count = PeerUnreachableError("away")
    assert sweep.close_complete(clock.forward(90)) == 0
    assert len(archive.asked) == 2
    assert sweep.close_complete(clock.forward(600)) == 1
    assert ledger.version(uid, 1).missing == 2
