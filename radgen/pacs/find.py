"""What does an archive have? Asked by C-FIND, Study Root (PS3.4 C.6.2).

Only keys without identity are asked for, so no name ever comes back.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.presentation import build_context
from pynetdicom.status import STATUS_PENDING, code_to_category

from radgen.domain.errors import PeerRefusedError
from radgen.pacs.association import answer_status, open_association
from radgen.pacs.peer import Peer
from radgen.pacs.services import STUDY_ROOT_FIND
from radgen.pacs.uids import checked_uid, is_uid

# An archive that answers more than this to one question is broken or hostile.
MAX_ANSWERS = 200_000


@dataclass(frozen=True, slots=True)
class StudyCount:
    """How much of one study an archive has. series, instances: 0 or more."""

    series: int
    instances: int


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """One series as an archive lists it. instances: None where the archive does not count."""

    series_uid: str
    modality: str
    instances: int | None


@dataclass(frozen=True, slots=True)
class StudySummary:
    """One study as an archive lists it.

    study_date: "YYYYMMDD" or "". modalities: () where the archive does not tell.
    instances: None where the archive does not count.
    """

    study_uid: str
    study_date: str
    modalities: tuple[str, ...]
    instances: int | None


def count_instances(peer: Peer, study_uid: str) -> StudyCount | None:
    """How many series and instances of the study the archive has; None if it has not the study.

    Takes the study level counts (0020,1206) and (0020,1208); an archive that leaves them empty is
    asked for every instance instead.
    Raises: PeerUnreachableError, PeerRefusedError.
    """
    with _find_association(peer) as assoc:
        keys = {"NumberOfStudyRelatedSeries": None, "NumberOfStudyRelatedInstances": None}
        found = list(
            _find(peer, assoc, "STUDY", {"StudyInstanceUID": checked_uid(study_uid), **keys})
        )
        if not found:
            return None
        series = _number(found[0], "NumberOfStudyRelatedSeries")
        instances = _number(found[0], "NumberOfStudyRelatedInstances")
        if series is not None and instances is not None:
            return StudyCount(series, instances)
        by_series = _instances_by_series(peer, assoc, study_uid)
        return StudyCount(len(by_series), sum(map(len, by_series.values())))


def has_instance(peer: Peer, study_uid: str, series_uid: str, sop_uid: str) -> bool:
    """True if the archive has exactly this instance. Raises: as `count_instances`."""
    keys = {
        "StudyInstanceUID": checked_uid(study_uid),
        "SeriesInstanceUID": checked_uid(series_uid),
        "SOPInstanceUID": checked_uid(sop_uid),
    }
    with _find_association(peer) as assoc:
        answers = list(_find(peer, assoc, "IMAGE", keys))
    # Some archives ignore keys they do not index and answer with the whole series.
    return any(_text(answer, "SOPInstanceUID") == sop_uid for answer in answers)


def list_series(peer: Peer, study_uid: str) -> tuple[SeriesSummary, ...]:
    """The series of a study, () if the archive has not the study. Raises: as `count_instances`."""
    with _find_association(peer) as assoc:
        return _series(peer, assoc, study_uid)


def list_instances(peer: Peer, study_uid: str) -> dict[str, frozenset[str]]:
    """SOP Instance UIDs by Series Instance UID, {} if the archive has not the study.

    Raises: as `count_instances`.
    """
    with _find_association(peer) as assoc:
        return _instances_by_series(peer, assoc, study_uid)


def studies_between(peer: Peer, first: date | None, last: date | None) -> tuple[StudySummary, ...]:
    """All studies with a Study Date from `first` to `last`, both included; None leaves an end open.

    With both ends open, studies without a date are found too.

    Study Date is when the study was made, not when the archive got it: ask for a day more than
    the time that is to be reconciled.
    Raises: as `count_instances`.
    """
    keys = {
        "StudyInstanceUID": None,
        "StudyDate": _date_range(first, last),
        "ModalitiesInStudy": None,
        "NumberOfStudyRelatedInstances": None,
    }
    with _find_association(peer) as assoc:
        studies = [
            StudySummary(
                study_uid=_text(answer, "StudyInstanceUID"),
                study_date=_text(answer, "StudyDate"),
                modalities=_texts(answer, "ModalitiesInStudy"),
                instances=_number(answer, "NumberOfStudyRelatedInstances"),
            )
            for answer in _find(peer, assoc, "STUDY", keys)
        ]
    # Some archives answer once for each instance below.
    return tuple(dict.fromkeys(study for study in studies if is_uid(study.study_uid)))


def _date_range(first: date | None, last: date | None) -> str:
    """Range matching, PS3.4 C.2.2.2.5."""
    if first is None and last is None:
        return ""
    return "-".join(f"{day:%Y%m%d}" if day else "" for day in (first, last))


def _series(peer: Peer, assoc: Association, study_uid: str) -> tuple[SeriesSummary, ...]:
    keys = {
        "StudyInstanceUID": checked_uid(study_uid),
        "SeriesInstanceUID": None,
        "Modality": None,
        "NumberOfSeriesRelatedInstances": None,
    }
    found = [
        SeriesSummary(
            _text(answer, "SeriesInstanceUID"),
            _text(answer, "Modality"),
            _number(answer, "NumberOfSeriesRelatedInstances"),
        )
        for answer in _find(peer, assoc, "SERIES", keys)
    ]
    return tuple(dict.fromkeys(series for series in found if is_uid(series.series_uid)))


def _instances_by_series(
    peer: Peer, assoc: Association, study_uid: str
) -> dict[str, frozenset[str]]:
    """Series by series: below STUDY every level above must be named (PS3.4 C.4.1.2.1)."""
    found = {}
    for series in _series(peer, assoc, study_uid):
        keys = {
            "StudyInstanceUID": study_uid,
            "SeriesInstanceUID": series.series_uid,
            "SOPInstanceUID": None,
        }
        answers = _find(peer, assoc, "IMAGE", keys)
        uids = frozenset(_text(answer, "SOPInstanceUID") for answer in answers)
        found[series.series_uid] = uids - {""}
    return found


def _find_association(peer: Peer) -> AbstractContextManager[Association]:
    return open_association(peer, [build_context(STUDY_ROOT_FIND)])


def _find(
    peer: Peer, assoc: Association, level: str, keys: Mapping[str, str | None]
) -> Iterator[Dataset]:
    """Answers to one question. Raises: PeerUnreachableError, PeerRefusedError."""
    query = Dataset()
    query.SpecificCharacterSet = peer.charset
    query.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    # To the end, final answer included: pynetdicom tidies up only then.
    for position, (status, answer) in enumerate(assoc.send_c_find(query, STUDY_ROOT_FIND)):
        code = answer_status(peer, "C-FIND", status)
        if position > MAX_ANSWERS:
            raise PeerRefusedError(f"peer {peer.name} does not come to an end of its answers")
        if answer is not None and code_to_category(code) == STATUS_PENDING:
            yield answer


def _text(answer: Dataset, keyword: str) -> str:
    values = _texts(answer, keyword)
    return values[0] if values else ""


def _texts(answer: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of one key, () where it is absent, empty or cannot be read."""
    try:
        value = answer.get(keyword)
    except (ValueError, TypeError, NotImplementedError):
        return ()
    if value is None or value == "":
        return ()
    return (str(value),) if isinstance(value, str) else tuple(str(each) for each in value)


def _number(answer: Dataset, keyword: str) -> int | None:
    """A count, None where the peer left it out or sent no number."""
    try:
        value = answer.get(keyword)
        return None if value is None or value == "" else int(value)
    except (ValueError, TypeError, OverflowError):
        return None
