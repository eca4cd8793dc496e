"""A node that takes its lease, starts one draft that never ends, and says so; to be killed."""

import sys
import threading
from pathlib import Path

from radgen.workflow.lanes import Lanes
from radgen.workflow.lease import Lease
from radgen.workflow.settings import WorkflowSettings


class Endless:
    """Steps of which the first never comes back."""

    def draft(self, study_uid, version):
        sys.stdout.write(f"drafting {study_uid} {version}\n")
        sys.stdout.flush()
        threading.Event().wait()

    give_back = confirm = give_up = draft


def main(lease_url, workflow_url, folder, node):
    settings = WorkflowSettings(node=node, poll_s=0.05)
    with (
        Lease(lease_url, Path(folder) if folder else None, node),
        Lanes(workflow_url, Endless(), settings) as lanes,
    ):
        lanes.submit_draft("CT-1", 1, 0, "CT", stat=False)
        threading.Event().wait()


main(*sys.argv[1:])
