"""The heartbeat with a real journal, ledger and DBOS; only the steps are a stand-in."""

import threading
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from radgen.completeness import CompletenessPolicy
from radgen.domain.errors import StoreError
from radgen.domain.study import VersionState
from radgen.ledger.rows import Priority, ReadyVersion
from radgen.worker.broken import _fail, fail_broken
from radgen.worker.intake import PriorityRules, take_in_journal
from radgen.worker.loop import Worker
from radgen.worker.sweep import Sweep
from radgen.workflow.lanes import Lanes, draft_id, return_id
from radgen.workflow.settings import WorkflowSettings

FAST = WorkflowSettings(poll_s=0.05, peer_pause_s=0.01, peer_attempts=2)
S = VersionState


class LedgerSteps:
    """Steps that only move the ledger, as the real ones do; `instead`: other behaviour by name."""

    def __init__(self, ledger):
        self.ledger, self.calls, self.instead = ledger, [], {}

    def _do(self, name, key, *path):
        self.calls.append((name, *key))
        if name in self.instead:
            self.instead[name](*key)
            return
        for source, target in pairwise(path):
            self.ledger.move(*key, (source,), target)

    def draft(self, *key):
        self._do("draft", key, S.COMPLETE, S.DRAFTING, S.DRAFTED)

    def give_back(self, *key):
        self._do("give_back", key, S.DRAFTED, S.RETURNED)

    def confirm(self, *key):
        self._do("confirm", key, S.RETURNED, S.CONFIRMED)

    def give_up(self, *key_and_reason):
        key = key_and_reason[:2]
        self._do("give_up", key, S.COMPLETE, S.DRAFTING, S.FAILED)


def refuse(*_):
    raise KeyError("x")


@pytest.fixture
def steps(ledger):
    return LedgerSteps(ledger)


@pytest.fixture
def lanes(steps, tmp_path):
    with Lanes(f"sqlite:///{tmp_path}/workflow.sqlite", steps, FAST) as opened:
        yield opened


@pytest.fixture
def worker(ledger, inbox, lanes):
    sweep = Sweep(ledger, CompletenessPolicy(quiet_s=1, quiet_by_modality_s={}), None)
    return Worker(ledger, inbox.root, PriorityRules(), sweep, lanes)


@pytest.fixture
def until(worker, clock, wait_for):
    """Turns until the answer is true."""

    def turn_until(condition):
        def turn():
            worker.turn(clock())
            return condition()

        return wait_for(turn)

    return turn_until


@pytest.fixture
def complete(inbox, clock, make_instance):
    """Receives one film and lets it grow quiet; returns the key of its version."""

    def receive(number=1):
        record = inbox.receive(make_instance(number))
        clock.forward(5)
        return record.study_uid, 1

    return receive


def state_of(ledger, key):
    row = ledger.version(*key)
    return row.state if row else None


def test_a_received_study_is_carried_to_its_end(complete, ledger, steps, until):
    key = complete()
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)
    assert steps.calls == [(name, *key) for name in ("draft", "give_back", "confirm")]


def test_turns_without_news_change_nothing(complete, ledger, steps, worker, until, clock):
    key = complete()
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)
    before, calls = ledger.study_detail(key[0]), list(steps.calls)
    for _ in range(3):
        worker.turn(clock.forward(1))
    assert (ledger.study_detail(key[0]), steps.calls) == (before, calls)


def test_a_worker_that_forgot_everything_does_nothing_twice(worker, complete, ledger, steps, until):
    key = complete()
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)
    calls = list(steps.calls)
    ledger.take_in([], "0:0")
    worker._submitted = set()
    worker.turn(datetime.now(UTC))
    assert steps.calls == calls


def test_a_failed_version_that_is_tried_again_is_another_work(
    complete, ledger, lanes, steps, until
):
    steps.instead["draft"] = refuse
    key = complete()
    assert until(lambda: state_of(ledger, key) is S.FAILED)
    assert ledger.version(*key).attempts == 1
    del steps.instead["draft"]
    assert ledger.move(*key, (S.FAILED,), S.COMPLETE)
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)
    works = [draft_id(*key, 0), draft_id(*key, 1), return_id(*key, 2)]
    assert until(lambda: set(lanes.ended(works)) == set(works))


@pytest.mark.parametrize("reached", [S.DRAFTED, S.RETURNED])
def test_what_was_drafted_before_a_crash_is_only_returned(
    complete, ledger, steps, until, worker, reached
):
    """The database of the workflows was lost; the ledger was not."""
    key = complete()
    take_in_journal(ledger, worker._store_root, PriorityRules())
    ledger.complete(*key, "all here", 0)
    path = (S.COMPLETE, S.DRAFTING, S.DRAFTED, S.RETURNED)
    for source, target in pairwise(path[: path.index(reached) + 1]):
        ledger.move(*key, (source,), target)
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)
    assert [call[0] for call in steps.calls] == ["give_back", "confirm"]


def test_what_was_being_drafted_in_a_crash_is_drafted(complete, ledger, steps, until, worker):
    key = complete()
    take_in_journal(ledger, worker._store_root, PriorityRules())
    ledger.complete(*key, "all here", 0)
    ledger.move(*key, (S.COMPLETE,), S.DRAFTING)
    steps.instead["draft"] = lambda *key: ledger.move(*key, (S.DRAFTING,), S.DRAFTED)
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)
    assert ledger.version(*key).attempts == 1


def test_a_store_that_refuses_does_not_end_the_loop(worker, wait_for):
    turns, stop = [], threading.Event()

    def tidy():
        turns.append(1)
        if len(turns) == 1:
            raise StoreError("the disk is full")

    thread = threading.Thread(target=worker.run, args=(stop, 0.01, lambda: None, tidy))
    thread.start()
    assert wait_for(lambda: len(turns) > 3)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_lost_lease_ends_the_loop(worker):
    def keep():
        raise StoreError("lost")

    with pytest.raises(StoreError, match="lost"):
        worker.run(threading.Event(), 0.01, keep)


def end_badly(lanes, work):
    """Writes into the library's table what it writes itself after fifty crashes."""
    import sqlalchemy as sa
    from dbos._dbos import _get_dbos_instance

    with _get_dbos_instance()._sys_db.engine.begin() as connection:
        connection.execute(
            sa.text("update workflow_status set status = :s where workflow_uuid = :id"),
            {"s": "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "id": work},
        )
    assert lanes.ended([work]) == {work: "MAX_RECOVERY_ATTEMPTS_EXCEEDED"}


def test_a_version_whose_workflow_broke_fails_and_can_be_tried_again(
    complete, ledger, lanes, steps, until
):
    steps.instead["draft"] = lambda *_: None  # ends well, moves nothing: as after a lost ledger
    key = complete()
    work = draft_id(*key, 0)
    assert until(lambda: lanes.ended([work]))
    end_badly(lanes, work)
    assert fail_broken(ledger, lanes) == 1
    row = ledger.version(*key)
    assert (row.state, row.attempts) == (S.FAILED, 1)
    assert row.failure == "the workflow ended (max recovery attempts exceeded) without a result"
    assert fail_broken(ledger, lanes) == 0
    steps.instead.clear()
    ledger.move(*key, (S.FAILED,), S.COMPLETE)
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)


def test_a_return_whose_last_word_was_refused_fails_its_version(
    complete, ledger, lanes, steps, until
):
    """The step fails for good, and the ledger refuses to hear why: the workflow ends in ERROR."""
    key = complete()
    steps.instead |= {"give_back": refuse, "give_up": refuse}
    work = return_id(*key, 1)
    assert until(lambda: lanes.ended([work]) == {work: "ERROR"})
    assert state_of(ledger, key) is S.DRAFTED
    assert fail_broken(ledger, lanes) == 1
    assert ledger.version(*key).failure == "the workflow ended (error) without a result"


def test_work_that_goes_on_is_not_broken(complete, ledger, lanes, steps, until):
    go, begun = threading.Event(), threading.Event()

    def wait_then_draft(*key):
        begun.set()
        go.wait(10)
        del steps.instead["draft"]
        steps.draft(*key)

    steps.instead["draft"] = wait_then_draft
    key = complete()
    assert until(begun.is_set)
    assert fail_broken(ledger, lanes) == 0
    go.set()
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)


@pytest.mark.parametrize(("state", "attempts"), [(S.COMPLETE, 0), (S.DRAFTED, 1)])
def test_a_version_that_moved_on_meanwhile_is_left_alone(complete, ledger, until, state, attempts):
    """The workflow came to its end between the look at the ledger and the look at the work."""
    key = complete()
    assert until(lambda: state_of(ledger, key) is S.CONFIRMED)
    as_it_was_read = ReadyVersion(*key, state, attempts, "DX", Priority.ROUTINE)
    assert not _fail(ledger, as_it_was_read, "SUCCESS")
    assert state_of(ledger, key) is S.CONFIRMED


def test_nothing_waiting_is_nothing_broken(ledger, lanes):
    assert fail_broken(ledger, lanes) == 0
