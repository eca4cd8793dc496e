"""A study and its instances as headers tell it, and the states a study version may be in."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class VersionState(StrEnum):
    """Where a study version stands. What may follow is in `NEXT`."""

    RECEIVING = "receiving"
    COMPLETE = "complete"
    DRAFTING = "drafting"
    DRAFTED = "drafted"
    RETURNED = "returned"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    REPLACED = "replaced"


NEXT: dict[VersionState, frozenset[VersionState]] = {
    VersionState.RECEIVING: frozenset({VersionState.COMPLETE}),
    VersionState.COMPLETE: frozenset(
        {VersionState.DRAFTING, VersionState.FAILED, VersionState.REPLACED}
    ),
    VersionState.DRAFTING: frozenset(
        {VersionState.DRAFTED, VersionState.FAILED, VersionState.REPLACED}
    ),
    VersionState.DRAFTED: frozenset(
        {VersionState.RETURNED, VersionState.FAILED, VersionState.REPLACED}
    ),
    VersionState.RETURNED: frozenset(
        {VersionState.CONFIRMED, VersionState.FAILED, VersionState.REPLACED}
    ),
    VersionState.CONFIRMED: frozenset({VersionState.REPLACED}),
    VersionState.FAILED: frozenset({VersionState.COMPLETE, VersionState.REPLACED}),
    VersionState.REPLACED: frozenset(),
}

NO_IMAGE_MODALITIES = frozenset(
    {"SR", "KO", "PR", "SEG", "REG", "FID", "RWV", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD"}
    | {"DOC", "AU", "ECG", "HD", "PLAN", "SMR", "ASMT", "ANN"}
)
"""Modalities of series that hold no image of the patient (PS3.3 C.7.3.1.1.1)."""


@dataclass(frozen=True, slots=True)
class InstanceHeader:
    """What selection needs to know of one instance; values as in the header, empty where absent.

    orientation: Image Orientation (Patient), 6 numbers. position_mm: Image Position (Patient), 3
        numbers.
    age_years: from Patient's Age ("053Y", "81", "009M"), None where it does not say.
    image_type: values of Image Type, upper case.
    frames: Number of Frames, 1 where absent.
    acquired_at: Acquisition (else Content, Series, Study) date and time as "YYYYMMDDHHMMSS.ffffff":
        texts of one study compare by time.
    contrast_agent: Contrast/Bolus Agent, empty where the header names none.
    """

    path: Path
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    modality: str
    body_part: str = ""
    view: str = ""
    image_type: tuple[str, ...] = ()
    rows: int = 0
    columns: int = 0
    frames: int = 1
    orientation: tuple[float, ...] = ()
    position_mm: tuple[float, ...] = ()
    pixel_spacing_mm: tuple[float, float] | None = None
    slice_thickness_mm: float | None = None
    kernel: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    series_description: str = ""
    study_description: str = ""
    protocol_name: str = ""
    age_years: float | None = None
    transfer_syntax_uid: str = ""
    priority: str = ""
    gantry_tilt_deg: float | None = None
    acquired_at: str = ""
    contrast_agent: str = ""
