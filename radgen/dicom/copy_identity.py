"""Patient and study attributes of a source header, made fit to be written again.

Headers in the field hold wrong character sets, over-long values, control characters and missing
Type 2 attributes. Nothing here refuses a patient for that: what can be read is copied within the
limits of its VR, what cannot is left empty. Bytes are decoded before anything is split, since in
GB18030 the bytes of a backslash and a caret occur inside characters.
"""

import re
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime

from pydicom.charset import decode_bytes, python_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

# Type 2 attributes are always present, empty where the source has none (PS3.3 C.7.1.1, C.7.2.1).
_ALWAYS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)
_IF_KNOWN = ("IssuerOfPatientID", "PatientAge", "StudyDescription", "TimezoneOffsetFromUTC")
_REQUEST = (
    "PlacerOrderNumberImagingServiceRequest",
    "FillerOrderNumberImagingServiceRequest",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
)
_LONGEST = {"LO": 64, "SH": 16, "CS": 16, "AS": 4, "DA": 8, "TM": 14}
_PN_GROUP = 64
_FORM = {
    "AS": re.compile(r"\d{3}[DWMY]"),
    "CS": re.compile(r"[A-Z0-9 _]{1,16}"),
    "DA": re.compile(r"\d{8}"),
    "TM": re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?"),
}
_KEYWORD_FORM = {
    "PatientSex": re.compile(r"[MFO]"),
    "TimezoneOffsetFromUTC": re.compile(r"[+-](0\d|1[0-4])[0-5]\d"),
}
_GUESSES = ("utf-8", "gb18030")


def copy_identity(source: Dataset, target: Dataset) -> None:
    """Copies patient and study into `target`; every Type 2 attribute is there afterwards."""
    for keyword in _ALWAYS:
        setattr(target, keyword, text_of(source, keyword))
    for keyword in _IF_KNOWN:
        value = text_of(source, keyword)
        if value:
            setattr(target, keyword, value)


def request_of(source: Dataset) -> dict[str, str]:
    """Order attributes of the source by keyword, "" where unknown."""
    items = source.get("RequestAttributesSequence") or ()
    places = [source, *items[:1]]
    return {
        keyword: next(filter(None, (text_of(place, keyword) for place in places)), "")
        for keyword in _REQUEST
    }


def text_of(source: Dataset, keyword: str) -> str:
    """One value as its VR allows it to be written: "" where absent or beyond repair."""
    vr = dictionary_VR(keyword)
    value = _printable(_decoded(source, keyword))
    if vr == "PN":
        return _person_name(value)
    value = value.split("\\")[0].strip()
    value = value[: _LONGEST.get(vr, 64)].strip()
    form = _KEYWORD_FORM.get(keyword) or _FORM.get(vr)
    if form and not form.fullmatch(value):
        return ""
    return "" if vr == "DA" and not _is_date(value) else value


def _decoded(source: Dataset, keyword: str) -> str:
    tag = tag_for_keyword(keyword)
    element = source.get_item(tag) if tag is not None else None
    value: object = element.value if element is not None else None
    if isinstance(value, bytes):
        return _decode(value, _charsets(source))
    if isinstance(value, MultiValue):
        return "\\".join(str(each) for each in value)
    return "" if value is None else str(value)


def _charsets(source: Dataset) -> Sequence[str]:
    value: object = getattr(source.get_item("SpecificCharacterSet"), "value", None) or b""
    if isinstance(value, bytes):
        return [part.strip() for part in value.decode("latin-1").split("\\")]
    return [str(each) for each in value] if isinstance(value, MultiValue) else [str(value)]


def _decode(raw: bytes, charsets: Sequence[str]) -> str:
    """Reads bytes as declared, else in the sets that Chinese sites forget to declare."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    encodings = [python_encoding.get(each, "") for each in charsets]
    if b"\x1b" in raw and all(encodings):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decode_bytes(raw, encodings, {ord("^"), ord("=")})
    # A single-byte set accepts every byte, so an undeclared one is tried last.
    declared = [each for each in encodings[:1] if each and charsets[0] not in ("", "ISO_IR 6")]
    for encoding in (*declared, *_GUESSES):
        try:
            return raw.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


def _printable(text: str) -> str:
    """Without control and bidirectional characters, and without what no encoding can hold."""
    return "".join(each for each in text if unicodedata.category(each) not in {"Cc", "Cf", "Cs"})


def _person_name(value: str) -> str:
    """At most three groups of at most five components and 64 characters (PS3.5 6.2)."""
    groups = value.split("\\", maxsplit=1)[0].split("=")[:3]
    return "=".join(_name_group(each) for each in groups).rstrip("=")


def _name_group(group: str) -> str:
    components = (each.strip() for each in group.split("^")[:5])
    return "^".join(_fitting(components)).rstrip("^")


def _fitting(components: Iterable[str]) -> list[str]:
    kept: list[str] = []
    room = _PN_GROUP
    for each in components:
        kept.append(each[: max(room, 0)])
        room -= len(each) + 1
    return kept


def _is_date(value: str) -> bool:
    try:
        datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return False
    return True
