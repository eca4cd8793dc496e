"""What a site may set about the order and the patience of the work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

LIMITS = {"DX": 2, "CR": 2, "CT": 1, "MR": 1}


@dataclass(frozen=True, slots=True)
class WorkflowSettings:
    """Lanes and retries of one worker.

    node: name of this worker; one live process for one name.
    stat_limit: studies that the express lane reads at once.
    limits: studies of a modality read at once; `other_limit` for the rest.
    poll_s: how often a lane looks for work (the express lane five times as often).
    peer_attempts, peer_pause_s, peer_backoff: patience with a peer that does not answer; then the
        version is given up and waits for `radgen retry`.
    sweep_s: between two looks at the journal and at what may be complete.
    reconcile_days: how far back the archive is compared with us at every start; 0 for never.
    reconcile_fetch: which of the studies found so are fetched: "none", "known" (an image of it had
        come) or "all".
    """

    node: str = "local"
    stat_limit: int = 2
    limits: Mapping[str, int] = field(default_factory=lambda: dict(LIMITS))
    other_limit: int = 1
    poll_s: float = 0.5
    peer_attempts: int = 8
    peer_pause_s: float = 1.0
    peer_backoff: float = 2.0
    sweep_s: float = 0.5
    reconcile_days: int = 2
    reconcile_fetch: Literal["none", "known", "all"] = "known"
