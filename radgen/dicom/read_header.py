"""One file's header, as selection needs it; hostile bytes end in one typed error."""

import re
from datetime import date, datetime
from pathlib import Path

from pydicom.dataset import FileDataset

from radgen.dicom.read_file import READ_ERRORS, cause_of, check_depth, open_header
from radgen.dicom.read_values import TAGS, HeaderValues
from radgen.domain.errors import UnreadableInstanceError
from radgen.domain.study import InstanceHeader

_UID = re.compile(r"[0-9][0-9.]{0,63}")
_AGE = re.compile(r"(\d{1,3})\s*([DWMY]?)")
_DAYS_PER_YEAR = 365.25
_YEARS_PER_UNIT = {"": 1.0, "Y": 1.0, "M": 1 / 12, "W": 7 / _DAYS_PER_YEAR, "D": 1 / _DAYS_PER_YEAR}
_MAX_AGE_YEARS = 130.0


def read_header(path: Path) -> InstanceHeader:
    """Reads what selection needs of one Part 10 file, without its pixels.

    The view is View Position (0018,5101), else the words of View Code Sequence (0054,0220). Patient
    Position (0018,5100) is never taken for a view: files exist that put one there, and it is wrong.

    Raises: UnreadableInstanceError if the file is not DICOM, is deflated, lacks one of the four
    UIDs, is shorter than it says, or cannot be parsed.
    """
    ds = open_header(path, list(TAGS.values()))
    syntax = str(ds.file_meta.get("TransferSyntaxUID", ""))
    return _to_header(path, HeaderValues(ds), syntax)


def read_dataset(path: Path) -> FileDataset:
    """The whole header of one Part 10 file, without its pixels: what an SR copies from.

    Raises: UnreadableInstanceError as `read_header`, and if sequences are nested deeper than 64.
    """
    ds = open_header(path)
    try:
        check_depth(ds)
    except READ_ERRORS as error:
        raise UnreadableInstanceError(f"sequence cannot be parsed: {cause_of(error)}") from error
    return ds


def _to_header(path: Path, values: HeaderValues, transfer_syntax_uid: str) -> InstanceHeader:
    return InstanceHeader(
        path=path,
        study_uid=_uid(values, "StudyInstanceUID"),
        series_uid=_uid(values, "SeriesInstanceUID"),
        sop_instance_uid=_uid(values, "SOPInstanceUID"),
        sop_class_uid=_uid(values, "SOPClassUID"),
        modality=values.text("Modality").upper(),
        body_part=values.text("BodyPartExamined").upper(),
        view=(values.text("ViewPosition") or values.view_code()).upper(),
        image_type=tuple(part.upper() for part in values.texts("ImageType")),
        rows=values.unsigned_short("Rows"),
        columns=values.unsigned_short("Columns"),
        frames=values.integer("NumberOfFrames") or 1,
        orientation=_exactly(values.numbers("ImageOrientationPatient"), 6),
        position_mm=_exactly(values.numbers("ImagePositionPatient"), 3),
        pixel_spacing_mm=_spacing(values),
        slice_thickness_mm=_positive(values.number("SliceThickness")),
        kernel=values.text("ConvolutionKernel"),
        series_number=values.integer("SeriesNumber"),
        instance_number=values.integer("InstanceNumber"),
        series_description=values.text("SeriesDescription"),
        study_description=values.text("StudyDescription"),
        protocol_name=values.text("ProtocolName"),
        age_years=_age_years(values),
        transfer_syntax_uid=transfer_syntax_uid,
        priority=values.text("RequestedProcedurePriority") or values.text("StudyPriorityID"),
        gantry_tilt_deg=values.number("GantryDetectorTilt"),
        acquired_at=_acquired_at(values),
        contrast_agent=values.text("ContrastBolusAgent"),
    )


def _uid(values: HeaderValues, keyword: str) -> str:
    uid = values.text(keyword)
    if not _UID.fullmatch(uid):
        raise UnreadableInstanceError(f"{keyword} is missing or not a UID")
    return uid


def _exactly(numbers: tuple[float, ...], count: int) -> tuple[float, ...]:
    return numbers if len(numbers) == count else ()


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _spacing(values: HeaderValues) -> tuple[float, float] | None:
    """Size of a pixel in the patient for a slice, at the detector for a projection."""
    names = ["ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing"]
    if values.numbers("ImageOrientationPatient"):
        names.remove("ImagerPixelSpacing")
    for keyword in names:
        numbers = values.numbers(keyword)
        if len(numbers) == 2 and min(numbers) > 0:
            return numbers[0], numbers[1]
    return None


def _age_years(values: HeaderValues) -> float | None:
    """Patient's Age; without one, the time from birth to the study; None if neither makes sense."""
    match = _AGE.fullmatch(values.text("PatientAge").upper())
    if match is None:
        return _years_between(values.text("PatientBirthDate"), values.text("StudyDate"))
    years = int(match[1]) * _YEARS_PER_UNIT[match[2]]
    return years if years <= _MAX_AGE_YEARS else None


def _years_between(birth: str, study: str) -> float | None:
    born, seen = _date(birth), _date(study)
    if born is None or seen is None:
        return None
    years = (seen - born).days / _DAYS_PER_YEAR
    return years if 0 <= years <= _MAX_AGE_YEARS else None


def _date(text: str) -> date | None:
    try:
        # A DA has neither time nor zone (PS3.5 6.2); only the day is kept.
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None


def _acquired_at(values: HeaderValues) -> str:
    moment = values.text("AcquisitionDateTime")
    if moment:
        return moment
    for kind in ("Acquisition", "Content", "Series", "Study"):
        day = values.text(f"{kind}Date")
        if day:
            return day + values.text(f"{kind}Time")
    return ""
