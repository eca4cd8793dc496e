"""A node whose steps fail in every way with a name in the text; it logs as the worker does."""

import sys
import time

from radgen.cli.logs import log_as_json
from radgen.domain.errors import PeerUnreachableError
from radgen.workflow.lanes import Lanes, draft_id, return_id
from radgen.workflow.settings import WorkflowSettings


class Failing:
    """Drafting fails for good, and so does giving up; returning meets a peer that is away."""

    def draft(self, *_):
        raise ValueError("Zhang^San")

    def give_up(self, *_):
        raise KeyError("Zhang^San")

    def give_back(self, *_):
        raise PeerUnreachableError("away") from OSError("Zhang^San")

    confirm = give_back


log_as_json()
settings = WorkflowSettings(poll_s=0.05, peer_pause_s=0.01, peer_attempts=2)
with Lanes(sys.argv[1], Failing(), settings) as lanes:
    lanes.submit_draft("1.2", 1, 0, "CT", stat=False)
    lanes.submit_return("1.2", 1, 1, stat=False)
    deadline = time.monotonic() + 20
    while len(lanes.ended([draft_id("1.2", 1, 0), return_id("1.2", 1, 1)])) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
