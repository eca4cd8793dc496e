"""Puts the worker together: ledger, store, engine, archive, lanes, lease."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from radgen.cli.engine_parts import open_room
from radgen.cli.site import DatabaseSettings, Site
from radgen.completeness import CompletenessPolicy
from radgen.dicom.sr_settings import SrSettings
from radgen.ledger.ledger import Ledger
from radgen.pacs.peer import Peer
from radgen.pipeline.archive import count_images
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
                sweep = Sweep(ledger, policy, partial(count_images, peer))
                log.info("worker is ready", extra={"engine": room.engine.name})
                worker = Worker(ledger, root, rules, sweep, lanes)
                tidy = _housekeeping(site.database, ledger, lanes, settings.node)
                worker.run(stop, settings.sweep_s, lease.keep, tidy)
        finally:
            room.engine.close()


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
