"""What the archive has against what we have: the count that completes a study, and the gaps.

An archive counts every object of a study, our own drafts among them; only images can be missing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from radgen.dicom.draft_uids import DocumentKind, series_uid
from radgen.domain.errors import PeerError
from radgen.domain.study import NO_IMAGE_MODALITIES
from radgen.ledger.ledger import Ledger
from radgen.pacs.find import list_series, studies_between
from radgen.pacs.peer import Peer
from radgen.pacs.retrieve import move_study

log = logging.getLogger(__name__)
Fetch = Literal["none", "known", "all"]
MAX_VERSIONS = 100
"""Series of our own pictures are known by their UIDs; no study is drafted more often than this."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A study of which the archive has more images than we. Counts of images."""

    study_uid: str
    archive: int
    received: int


def count_images(peer: Peer, study_uid: str) -> int | None:
    """How many images of the study the archive has; None if it cannot say.

    Raises: PeerError.
    """
    ours = {
        series_uid(study_uid, version, DocumentKind.PICTURE) for version in range(1, MAX_VERSIONS)
    }
    counts = [
        series.instances
        for series in list_series(peer, study_uid)
        if series.modality not in NO_IMAGE_MODALITIES and series.series_uid not in ours
    ]
    if not counts or None in counts:
        return None
    return sum(count for count in counts if count is not None)


def find_gaps(ledger: Ledger, peer: Peer, first: date, last: date) -> list[Gap]:
    """Studies made from `first` to `last` of which the archive has images that we lack.

    Raises: PeerError.
    """
    gaps = []
    for summary in studies_between(peer, first, last):
        archive = count_images(peer, summary.study_uid)
        received = ledger.image_count(summary.study_uid)
        if archive is not None and archive > received:
            gaps.append(Gap(summary.study_uid, archive, received))
    return gaps


def reconcile(ledger: Ledger, peer: Peer, last: date, days: int, fetch: Fetch) -> list[Gap]:
    """What an outage left out: gaps of the `days` up to `last`, fetched as `fetch` says.

    "known": only studies of which an image had come. A study that never came may be one that the
    archive is not meant to route to us, so it is only reported.
    Returns: every gap. Raises: PeerError.
    """
    gaps = find_gaps(ledger, peer, last - timedelta(days=days), last)
    wanted = [gap for gap in gaps if fetch == "all" or (fetch == "known" and gap.received)]
    fetch_gaps(peer, wanted)
    log.info("reconciled with the archive", extra={"gaps": len(gaps), "fetched": len(wanted)})
    return gaps


def fetch_gaps(peer: Peer, gaps: Sequence[Gap]) -> int:
    """Asks the archive to send each incomplete study to us (C-MOVE).

    What we have already comes again and changes nothing. A study that the archive cannot send does
    not keep the others back.
    Returns: how many studies were asked for. Raises: PeerError, the first one, after the last gap.
    """
    faults: list[PeerError] = []
    for gap in gaps:
        try:
            move_study(peer, gap.study_uid, peer.our_aet)
        except PeerError as error:
            faults.append(error)
            continue
        log.info("study fetched again", extra={"images_missing": gap.archive - gap.received})
    if faults:
        raise faults[0]
    return len(gaps)
