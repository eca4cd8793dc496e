"""Work that ended without the ledger knowing: such a version would wait for ever.

A workflow may end on its own (recovered too often, its last step refused by the database), or its
database may be younger than the ledger. The ledger is the truth, so what still waits there for work
that is over has failed, and a person can have it tried again.
"""

import logging

from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import ReadyVersion
from radgen.workflow.lanes import Lanes, draft_id, return_id

log = logging.getLogger(__name__)
# DRAFTING and RETURNED too: after a crash their workflow is recovered, or, where the workflow
# database was lost, started again; the same id is never run twice.
TO_DRAFT = (VersionState.COMPLETE, VersionState.DRAFTING)
TO_RETURN = (VersionState.DRAFTED, VersionState.RETURNED)


def attempt_of(version: ReadyVersion) -> int:
    """The attempt its workflow belongs to: a version being drafted has counted it already."""
    return version.attempts - (version.state is VersionState.DRAFTING)


def work_id(version: ReadyVersion) -> str:
    """Name of the workflow that this version waits for."""
    name = return_id if version.state in TO_RETURN else draft_id
    return name(version.study_uid, version.version, attempt_of(version))


def fail_broken(ledger: Ledger, lanes: Lanes) -> int:
    """Fails every version that waits for a workflow which has ended.

    The ledger is read first: a version that moves on meanwhile is left alone.
    Returns: how many versions failed. Raises: StoreError.
    """
    waiting = {work_id(each): each for each in ledger.ready_versions((*TO_DRAFT, *TO_RETURN))}
    ended = lanes.ended(list(waiting))
    count = sum(_fail(ledger, waiting[id_], how) for id_, how in ended.items())
    if count:
        log.error("workflows ended without a result", extra={"versions": count})
    return count


def _fail(ledger: Ledger, version: ReadyVersion, how: str) -> bool:
    key, state = (version.study_uid, version.version), version.state
    if state is VersionState.COMPLETE:
        # Counts the attempt, so that the next one is another workflow.
        if not ledger.move(*key, (state,), VersionState.DRAFTING):
            return False
        state = VersionState.DRAFTING
    reason = f"the workflow ended ({how.lower().replace('_', ' ')}) without a result"
    return ledger.move(*key, (state,), VersionState.FAILED, failure=reason)
