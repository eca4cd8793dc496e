"""The work of dead nodes goes on: the library alone leaves it PENDING for ever."""

import logging
from pathlib import Path

from radgen.domain.errors import ConfigurationError
from radgen.workflow.lanes import Lanes
from radgen.workflow.lease import Lease

log = logging.getLogger(__name__)


def take_over_dead(lanes: Lanes, url: str, folder: Path | None, node: str) -> int:
    """Recovers unfinished workflows of every node whose lease is free.

    Returns: how many workflows were taken over.
    """
    count = 0
    for other in sorted(lanes.nodes_with_work() - {node}):
        try:
            with Lease(url, folder, other):
                count += lanes.recover(other)
        except ConfigurationError:
            continue  # that node lives
    if count:
        log.warning("took over work of a dead node", extra={"workflows": count})
    return count
