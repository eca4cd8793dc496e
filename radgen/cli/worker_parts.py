"""Puts the worker together: ledger, store, engine, archive, lanes, lease."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from radgen.cli.engine_parts import open_room
from radgen.cli.site import DatabaseSettings, Site
from radgen.completeness import CompletenessPolicy
from radgen.dicom.sr_settings import SrSettings
from radgen.domain.errors import RadgenError
from radgen.ledger.ledger import Ledger
from radgen.pacs.peer import Peer
from radgen.pipeline.archive import count_images, reconcile
from radgen.pipeline.returning import ReturnDesk
from radgen.pipeline.steps import StudySteps
from radgen.worker.broken import fail_broken
from radgen.worker.intake import PriorityRules
from radgen.worker.loop import Worker
from radgen.worker.sweep import Sweep
from radgen.workflow.lanes import Lanes
from radgen.workflow.lease import Lease
from radgen.workflow.settings import WorkflowSettings
from radgen.workflow.takeover import take_over_dead

TAKEOVER_EVERY_S = 10.0
BROKEN_EVERY_S = 60.0
RECONCILE_AFTER_S = 5.0
COUNT_S = 10.0
log = logging.getLogger(__name__)


def run_worker(site: Site, stop: threading.Event) -> None:
    """Runs until `stop`. Raises: RadgenError if it cannot start."""
    settings = site.section("workflow", WorkflowSettings)
    peer = site.section("pacs", Peer)
    policy = site.section("completeness", CompletenessPolicy)
    rules = site.section("priority", PriorityRules)
    ledger = Ledger(site.database.url)
    ledger.migrate()
    root = site.store.folder
    with Lease(site.database.url, site.database.lock_folder, settings.node) as lease:
        room = open_room(site)
        try:
            desk = ReturnDesk(peer, site.section("report", SrSettings))
            steps = StudySteps(ledger, root, room, desk)
            with Lanes(site.database.workflow_url, steps, settings) as lanes:
                sweep = Sweep(ledger, policy, partial(count_images, _hurried(peer)))
                log.info("worker is ready", extra={"engine": room.engine.name})
                worker = Worker(ledger, root, rules, sweep, lanes)
                _reconcile_soon(ledger, peer, settings)
                tidy = _housekeeping(site.database, ledger, lanes, settings.node)
                worker.run(stop, settings.sweep_s, lease.keep, tidy)
        finally:
            room.engine.close()


def _hurried(peer: Peer) -> Peer:
    """The same archive with less patience: nothing else moves while it counts images."""
    return replace(
        peer,
        connect_timeout_s=min(peer.connect_timeout_s, COUNT_S),
        response_timeout_s=min(peer.response_timeout_s, COUNT_S),
        total_timeout_s=min(peer.total_timeout_s, COUNT_S),
    )


def _reconcile_soon(ledger: Ledger, peer: Peer, settings: WorkflowSettings) -> None:
    """Compares with the archive once, beside the work, when the journal has been taken in."""
    if not settings.reconcile_days:
        return

    def compare() -> None:
        last = datetime.now().astimezone().date()
        try:
            reconcile(ledger, peer, last, settings.reconcile_days, settings.reconcile_fetch)
        except RadgenError as error:
            log.warning("not reconciled with the archive", extra={"error": type(error).__name__})

    timer = threading.Timer(RECONCILE_AFTER_S, compare)
    timer.daemon = True
    timer.start()


def _housekeeping(
    database: DatabaseSettings, ledger: Ledger, lanes: Lanes, node: str
) -> Callable[[], None]:
    """What is looked at now and then: dead nodes, and work that ended without a result."""

    def take_over() -> None:
        take_over_dead(lanes, database.url, database.lock_folder, node)

    duties = (
        every(TAKEOVER_EVERY_S, take_over),
        every(BROKEN_EVERY_S, lambda: fail_broken(ledger, lanes)),
    )

    def tidy() -> None:
        for duty in duties:
            duty()

    return tidy


def every(seconds: float, duty: Callable[[], object]) -> Callable[[], None]:
    """`duty`, done at the first call and then at most once in so many seconds."""
    due = time.monotonic()

    def done_when_due() -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + seconds
            duty()

    return done_when_due
