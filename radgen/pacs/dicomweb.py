"""The same questions over QIDO-RS (PS3.18 10.6), for archives that count better there."""

import json
import time
from collections.abc import Sequence
from typing import Any

import httpx

from radgen.domain.errors import ConfigurationError, PeerRefusedError, PeerUnreachableError
from radgen.pacs.find import StudyCount
from radgen.pacs.peer import Peer
from radgen.pacs.uids import checked_uid

MAX_ANSWER_BYTES = 64 * 1024 * 1024

_SERIES_COUNT = "00201206"  # (0020,1206) Number of Study Related Series
_INSTANCE_COUNT = "00201208"  # (0020,1208) Number of Study Related Instances
_SERIES_UID = "0020000E"
_SOP_UID = "00080018"


def count_instances_qido(peer: Peer, study_uid: str) -> StudyCount | None:
    """As `find.count_instances`, over `peer.dicomweb_url`.

    Raises: PeerUnreachableError; PeerRefusedError for an HTTP error or an answer that is no
        DICOM JSON; ConfigurationError when the peer has no DICOMweb root.
    """
    uid = checked_uid(study_uid)
    fields = [("includefield", _SERIES_COUNT), ("includefield", _INSTANCE_COUNT)]
    found = _query(peer, "/studies", [("StudyInstanceUID", uid), *fields])
    if not found:
        return None
    series, instances = (_number(found[0], tag) for tag in (_SERIES_COUNT, _INSTANCE_COUNT))
    if series is not None and instances is not None:
        return StudyCount(series, instances)
    every = _query(peer, f"/studies/{uid}/instances", [])
    return StudyCount(len({_value(each, _SERIES_UID) for each in every}), len(every))


def has_instance_qido(peer: Peer, study_uid: str, series_uid: str, sop_uid: str) -> bool:
    """As `find.has_instance`. Raises: as `count_instances_qido`."""
    path = f"/studies/{checked_uid(study_uid)}/series/{checked_uid(series_uid)}/instances"
    found = _query(peer, path, [("SOPInstanceUID", checked_uid(sop_uid))])
    return any(_value(each, _SOP_UID) == sop_uid for each in found)


def _query(peer: Peer, path: str, params: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The matches of one query, [] for none. Redirects are not followed."""
    if not peer.dicomweb_url:
        raise ConfigurationError(f"peer {peer.name} has no dicomweb_url")
    url = peer.dicomweb_url.rstrip("/") + path
    timeout = httpx.Timeout(peer.response_timeout_s, connect=peer.connect_timeout_s)
    headers = {"Accept": "application/dicom+json"}
    try:
        with httpx.stream(
            "GET", url, params=httpx.QueryParams(tuple(params)), headers=headers, timeout=timeout
        ) as answer:
            # 404: some archives answer so for a study they do not have (PS3.18 10.6.3.1 says 204).
            if answer.status_code in {204, 404}:
                return []
            if answer.status_code != 200:
                raise PeerRefusedError(f"peer {peer.name} answered QIDO {answer.status_code}")
            body = _read(peer, answer)
    except httpx.HTTPError as error:
        raise PeerUnreachableError(f"peer {peer.name} gave no QIDO answer") from error
    return _matches(peer, body)


def _read(peer: Peer, answer: httpx.Response) -> bytes:
    """The body, up to a size and a time: `timeout` alone would let a peer drip bytes for ever."""
    give_up = time.monotonic() + peer.total_timeout_s
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > MAX_ANSWER_BYTES or time.monotonic() > give_up:
            raise PeerRefusedError(f"peer {peer.name} does not come to an end of its answer")
    return bytes(body)


def _matches(peer: Peer, body: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(body)
    except ValueError as error:  # also what is no UTF-8
        raise PeerRefusedError(f"peer {peer.name} answered QIDO with no JSON") from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise PeerRefusedError(f"peer {peer.name} answered QIDO with no list of datasets")
    return found


def _value(match: dict[str, Any], tag: str) -> object:
    """First value of one attribute of the DICOM JSON model (PS3.18 F.2), None where absent."""
    attribute = match.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    return values[0] if isinstance(values, list) and values else None


def _number(match: dict[str, Any], tag: str) -> int | None:
    value = _value(match, tag)
    try:
        return int(value) if isinstance(value, int | str) else None
    except ValueError:
        return None
