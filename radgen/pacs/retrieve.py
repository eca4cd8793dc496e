"""Asks an archive to send a study to somebody, usually to our own listener."""

from collections.abc import Mapping

from pydicom.dataset import Dataset
from pynetdicom.presentation import build_context

from radgen.domain.errors import PeerRefusedError
from radgen.pacs.association import answer_status, open_association
from radgen.pacs.peer import Peer
from radgen.pacs.services import STUDY_ROOT_MOVE
from radgen.pacs.uids import checked_uid


def move_study(peer: Peer, study_uid: str, to_aet: str) -> int:
    """Has `peer` send the study to the application entity it knows as `to_aet` (C-MOVE).

    Returns: how many instances it says it sent; 0 when it has not the study.
    Raises: PeerUnreachableError; PeerRefusedError also when single instances failed.
    """
    return _move(peer, {"StudyInstanceUID": checked_uid(study_uid)}, "STUDY", to_aet)


def move_series(peer: Peer, study_uid: str, series_uid: str, to_aet: str) -> int:
    """As `move_study`, for one series."""
    keys = {
        "StudyInstanceUID": checked_uid(study_uid),
        "SeriesInstanceUID": checked_uid(series_uid),
    }
    return _move(peer, keys, "SERIES", to_aet)


def _move(peer: Peer, keys: Mapping[str, str], level: str, to_aet: str) -> int:
    query = Dataset()
    query.QueryRetrieveLevel = level
    for keyword, uid in keys.items():
        setattr(query, keyword, uid)
    last = Dataset()
    with open_association(peer, [build_context(STUDY_ROOT_MOVE)]) as assoc:
        for status, _ in assoc.send_c_move(query, to_aet, STUDY_ROOT_MOVE):
            answer_status(peer, "C-MOVE", status)
            last = status
    failed = int(last.get("NumberOfFailedSuboperations") or 0)
    if failed:
        raise PeerRefusedError(f"peer {peer.name} could not send {failed} instances")
    return int(last.get("NumberOfCompletedSuboperations") or 0)
