"""The elements of one header as plain text and numbers.

Values are taken from the raw elements and read here, because pydicom's own conversion refuses the
odd values that real headers hold ("81" as an age, two decimal points) and warns with the value in
the text, which may be a name.
"""

import math
import warnings

from pydicom.charset import decode_bytes, python_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from radgen.dicom.read_file import READ_ERRORS

TAGS = {
    "SpecificCharacterSet": 0x00080005,
    "ImageType": 0x00080008,
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "StudyDate": 0x00080020,
    "SeriesDate": 0x00080021,
    "AcquisitionDate": 0x00080022,
    "ContentDate": 0x00080023,
    "AcquisitionDateTime": 0x0008002A,
    "StudyTime": 0x00080030,
    "SeriesTime": 0x00080031,
    "AcquisitionTime": 0x00080032,
    "ContentTime": 0x00080033,
    "AccessionNumber": 0x00080050,
    "Modality": 0x00080060,
    "StudyDescription": 0x00081030,
    "SeriesDescription": 0x0008103E,
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "PatientBirthDate": 0x00100030,
    "PatientSex": 0x00100040,
    "PatientAge": 0x00101010,
    "ContrastBolusAgent": 0x00180010,
    "BodyPartExamined": 0x00180015,
    "SliceThickness": 0x00180050,
    "ProtocolName": 0x00181030,
    "GantryDetectorTilt": 0x00181120,
    "ImagerPixelSpacing": 0x00181164,
    "ConvolutionKernel": 0x00181210,
    "NominalScannedPixelSpacing": 0x00182010,
    "ViewPosition": 0x00185101,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "SeriesNumber": 0x00200011,
    "InstanceNumber": 0x00200013,
    "ImagePositionPatient": 0x00200032,
    "ImageOrientationPatient": 0x00200037,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "StudyPriorityID": 0x0032000C,
    "RequestedProcedurePriority": 0x00401003,
    "ViewCodeSequence": 0x00540220,
}


class HeaderValues:
    """The raw elements of one header, each read as the few kinds that are needed."""

    def __init__(self, ds: Dataset) -> None:
        self._ds = ds
        # pydicom has already read this one element while it read the file.
        self._encodings = _encodings(ds.get("SpecificCharacterSet"))

    def text(self, keyword: str) -> str:
        """Value as one line without control characters, "" where absent."""
        text = self._decode(self._bytes(keyword))
        return "".join(c for c in text if c.isprintable()).strip()

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Values of a multi-valued element."""
        return tuple(part.strip() for part in self.text(keyword).split("\\") if part.strip())

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Decimal strings as finite numbers, () where absent or where one of them is no number."""
        try:
            values = tuple(float(part) for part in self.texts(keyword))
        except ValueError:
            return ()
        return values if all(math.isfinite(value) for value in values) else ()

    def number(self, keyword: str) -> float | None:
        """The first number, None where there is none."""
        return next(iter(self.numbers(keyword)), None)

    def integer(self, keyword: str) -> int | None:
        """The first number as an integer, None where there is none."""
        value = self.number(keyword)
        return None if value is None else int(value)

    def unsigned_short(self, keyword: str) -> int:
        """A US element, 0 where absent."""
        element = self._raw(keyword)
        if not isinstance(element, RawDataElement) or len(element.value or b"") < 2:
            return 0
        value = element.value or b""
        return int.from_bytes(value[:2], "little" if element.is_little_endian else "big")

    def view_code(self) -> str:
        """Meaning of the first view code, "" where there is none or it cannot be parsed."""
        try:
            item = self._ds[TAGS["ViewCodeSequence"]].value[0]
            return str(item.CodeMeaning).strip()
        except READ_ERRORS:
            return ""

    def _decode(self, raw: bytes) -> str:
        if b"\x1b" not in raw:
            return _plain(raw, self._encodings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decode_bytes(raw, self._encodings, set())

    def _bytes(self, keyword: str) -> bytes:
        element = self._raw(keyword)
        value = element.value if isinstance(element, RawDataElement) else None
        return value if isinstance(value, bytes) else b""

    def _raw(self, keyword: str) -> RawDataElement | DataElement | None:
        return self._ds.get_item(TAGS[keyword])


def _plain(raw: bytes, encodings: list[str]) -> str:
    """Text without escape sequences; some writers leave them out before GB 2312 and its kin."""
    for encoding in encodings[:0:-1]:
        try:
            return raw.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return raw.decode(encodings[0], "replace")


def _encodings(value: object) -> list[str]:
    """Python codecs of Specific Character Set (PS3.3 C.12.1.1.2), the default where unknown."""
    names = value if isinstance(value, (list, tuple, MultiValue)) else [value or ""]
    return [python_encoding.get(str(name).strip(), "iso8859") for name in names] or ["iso8859"]
