"""kill -9 of every process in turn while studies come in: nothing lost, nothing made twice.

A kill counts only where it hit a live process that had done something since it was started; so the
suite cannot pass by killing processes that were still importing.
"""

import os
import queue
import random
import threading
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from io import BytesIO

import pytest
from pydicom import dcmread
from pynetdicom.presentation import build_context

from radgen.demo.phantom import phantom_study
from radgen.domain.errors import PeerError
from radgen.domain.study import VersionState
from radgen.pacs.association import answer_status, open_association
from radgen.pacs.peer import Peer

pytestmark = [pytest.mark.orthanc, pytest.mark.triton, pytest.mark.kill]

STUDIES = int(os.environ.get("RADGEN_KILL_STUDIES", "12"))
KILLS = STUDIES * 3 // 4
SEED = 20261123
ORDER = ("listener", "worker", "stub", "listener", "worker", "server")
FILMS = ("chest normal", "chest opacity right urgent", "chest CR Latin name")
VOLUME = "chest CT normal"
SLICES = slice(8, 32)
"""Of a CT study: enough to be read, and an association that lasts long enough to be hit."""


def make_study(number, kind):
    """A study of its own: UID and files."""
    study = phantom_study(kind, date(2026, 3, 1) + timedelta(days=number))
    files = list(study.files())
    return study.study_uid, files[SLICES] if kind == VOLUME else files


def make_batches():
    """(what to kill, studies that come at that time); films where the networks must be at work."""
    targets = [ORDER[number % len(ORDER)] for number in range(KILLS)]
    batches = [(target, []) for target in targets]
    for number in range(STUDIES):
        target, studies = batches[number % KILLS]
        film = target in {"stub", "server"} or studies
        studies.append(make_study(number, FILMS[number % len(FILMS)] if film else VOLUME))
    return batches


@dataclass
class Sender:
    """Sends studies as a PACS does: whatever was not acknowledged is sent again."""

    peer: Peer
    work: queue.Queue
    acknowledged: dict = field(default_factory=dict)
    retries: int = 0
    faults: list = field(default_factory=list)

    def run(self):
        while (study := self.work.get()) is not None:
            try:
                self._send_study(study[1])
            except Exception:  # noqa: BLE001 - a thread's fault must reach the test
                self.faults.append(traceback.format_exc())

    def _send_study(self, files):
        left = [dcmread(BytesIO(content)) for content in files]
        give_up = time.monotonic() + 120
        while True:
            left = self._once(left)
            if not left:
                return
            assert time.monotonic() < give_up, "the listener never took the study"
            self.retries += 1
            time.sleep(0.3)

    def _once(self, datasets):
        """One association. Returns: what was not acknowledged."""
        head = datasets[0]
        contexts = [build_context(head.SOPClassUID, head.file_meta.TransferSyntaxUID)]
        left = list(datasets)
        with suppress(PeerError), open_association(self.peer, contexts) as assoc:
            while left and assoc.is_established:
                if answer_status(self.peer, "C-STORE", assoc.send_c_store(left[0])) != 0x0000:
                    break
                taken = left.pop(0)
                self.acknowledged[str(taken.SOPInstanceUID)] = taken
                time.sleep(0.02)  # long enough for a kill to fall between two images
        return left


class Killer:
    """Kills a process when it has done something, and only then."""

    def __init__(self, site, tools, senders):
        self._site, self._tools, self._senders = site, tools, senders
        self._random = random.Random(SEED)
        self.hits = Counter()

    def pids(self, target):
        """The processes of this kind, [] while there is none."""
        worker = self._site.supervisor.pid("worker")
        if target == "listener" or worker is None:
            pid = self._site.supervisor.pid(target)
            return [pid] if pid else []
        if target == "worker":
            return [worker]
        children = self._tools.children
        servers = [server for guard in children(worker) for server in children(guard)]
        return servers if target == "server" else [p for each in servers for p in children(each)]

    def settled(self, target):
        """The processes of this kind once they stay the same: a server that starts has helpers."""
        before = self.pids(target)
        time.sleep(0.5)
        return before if before and before == self.pids(target) else []

    def effects(self, target):
        """How much was done that needs this process."""
        if target == "listener":
            return sum(len(each.acknowledged) for each in self._senders)
        rows = self._site.ledger.worklist(page_size=1000)
        if target == "worker":
            return sum(at is not None for row in rows for at in moments(row.version))
        return sum(row.version.drafted_at is not None for row in rows if row.study.modality != "CT")

    def strike(self, target, release):
        """Waits for the process and for an effect of it, then kills it a random moment later.

        release: brings the work that makes the effect.
        """
        found = []
        self._tools.wait_for(
            lambda: found.extend(self.settled(target)) or found, 60, f"{target} runs", self._story
        )
        pid, before = self._random.choice(found), self.effects(target)
        release()
        self._tools.wait_for(
            lambda: self.effects(target) > before, 60, f"{target} does something", self._story
        )
        time.sleep(self._random.uniform(0, 0.5))
        assert self._tools.kill(pid), f"{target} died by itself"
        self.hits[target] += 1

    def _story(self):
        return self._site.story([])


def moments(version):
    return (
        version.complete_at,
        version.started_at,
        version.drafted_at,
        version.returned_at,
        version.confirmed_at,
    )


@dataclass(frozen=True)
class Outcome:
    """What is left after the killing."""

    site: object
    studies: dict
    senders: list
    hits: Counter


@pytest.fixture(scope="module")
def outcome(open_site, site_tools, figures):
    site = open_site(engine="embedded", sections={"workflow": {"peer_pause_s": 0.5}})
    site.wait_for_worker()
    batches = make_batches()
    work = queue.Queue()
    senders = [Sender(site.listener(), work) for _ in range(2)]
    threads = [threading.Thread(target=each.run) for each in senders]
    for thread in threads:
        thread.start()
    killer = Killer(site, site_tools, senders)
    begin = time.monotonic()

    def release(studies):
        for study in studies:
            for content in study[1]:
                site.archive.upload(content)
            work.put(study)

    try:
        for target, studies in batches:
            killer.strike(target, partial(release, studies))
    finally:
        for _ in threads:
            work.put(None)
        for thread in threads:
            thread.join()
    studies = dict(study for _, batch in batches for study in batch)
    site.wait_for_state(studies, VersionState.CONFIRMED, 180)
    figures(
        f"kill -9: {len(studies)} studies, {sum(killer.hits.values())} kills "
        f"({', '.join(f'{count} {name}' for name, count in killer.hits.items())}), "
        f"{sum(each.retries for each in senders)} associations begun again, "
        f"{time.monotonic() - begin:.0f} s"
    )
    return Outcome(site, studies, senders, killer.hits)


def test_every_kill_hit_a_process_at_work(outcome):
    assert set(outcome.hits) == set(ORDER[: max(KILLS, 1)])
    assert sum(outcome.hits.values()) == KILLS
    assert [each.faults for each in outcome.senders] == [[], []]


def test_every_acknowledged_image_is_in_store_and_ledger(outcome):
    acknowledged = {
        uid: ds for sender in outcome.senders for uid, ds in sender.acknowledged.items()
    }
    assert len(acknowledged) == sum(map(len, outcome.studies.values()))
    known = {
        row.sop_uid: outcome.site.store / row.path
        for uid in outcome.studies
        for row in outcome.site.detail(uid).instances
    }
    assert set(known) == set(acknowledged)
    for uid, ds in acknowledged.items():
        assert dcmread(known[uid]) == ds


def test_every_study_has_one_version_and_one_confirmed_draft(outcome):
    for uid, files in outcome.studies.items():
        detail = outcome.site.detail(uid)
        assert [(each.version, each.state) for each in detail.versions] == [
            (1, VersionState.CONFIRMED)
        ]
        assert len(detail.drafts) == 1
        assert len(outcome.site.ledger.version_instances(uid, 1)) == len(files)
        assert detail.versions[0].missing == 0


def test_the_archive_has_exactly_one_set_of_reports_for_each_study(outcome):
    totals = outcome.site.instances_in_archive()
    for uid, files in outcome.studies.items():
        srs = outcome.site.srs_in_archive(uid)
        draft = outcome.site.detail(uid).drafts[0]
        assert set(srs) == set(draft.sr_uids)
        assert len(srs) == 2 + bool(draft.report.structure.measurements)
        assert totals[uid] == len(files) + len(srs)
        assert outcome.site.read_back(uid).faults == ()
    assert set(totals) == set(outcome.studies)


def test_the_store_holds_no_leftovers(outcome):
    """A listener that starts again removes what a killed one had begun to write."""
    known = {row.path for uid in outcome.studies for row in outcome.site.detail(uid).instances}
    images = {
        str(path.relative_to(outcome.site.store))
        for path in outcome.site.store.rglob("*")
        if path.is_file() and path.stat().st_size > 100_000
    }
    assert images == known
