"""The codes of our documents, each with its place in the standard. Code meanings are case-exact."""

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radgen.domain.finding import Side
from radgen.domain.report import Language, Section
from radgen.knowledge.tables import Code

DIAGNOSTIC_IMAGING_REPORT = Code("18748-4", "LN", "Diagnostic Imaging Report")  # CID 7000
IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")  # CID 100
IMAGING_MEASUREMENT_REPORT = Code("126000", "DCM", "Imaging Measurement Report")  # TID 1500

PROCEDURE_REPORTED = Code("121058", "DCM", "Procedure reported")  # TID 2000 row 2
DEVICE_TYPE = Code("122142", "DCM", "Acquisition Device Type")
TARGET_REGION = Code("123014", "DCM", "Target Region")
LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")  # TID 1204

OBSERVER_TYPE = Code("121005", "DCM", "Observer Type")  # TID 1002
DEVICE = Code("121007", "DCM", "Device")
DEVICE_UID = Code("121012", "DCM", "Device Observer UID")  # TID 1004
DEVICE_NAME = Code("121013", "DCM", "Device Observer Name")
DEVICE_MANUFACTURER = Code("121014", "DCM", "Device Observer Manufacturer")
DEVICE_MODEL = Code("121015", "DCM", "Device Observer Model Name")
DEVICE_SERIAL = Code("121016", "DCM", "Device Observer Serial Number")

BEST_ILLUSTRATION = Code("121080", "DCM", "Best illustration of finding")  # CID 7003
SOURCE_OF_MEASUREMENT = Code("121112", "DCM", "Source of Measurement")

# TID 1500, 1501, 300, 4019
IMAGING_MEASUREMENTS = Code("126010", "DCM", "Imaging Measurements")
MEASUREMENT_GROUP = Code("125007", "DCM", "Measurement Group")
TRACKING_ID = Code("112039", "DCM", "Tracking Identifier")
TRACKING_UID = Code("112040", "DCM", "Tracking Unique Identifier")
FINDING_SITE = Code("363698007", "SCT", "Finding Site")
LATERALITY = Code("272741003", "SCT", "Laterality")
DERIVATION = Code("121401", "DCM", "Derivation")
METHOD = Code("370129005", "SCT", "Measurement Method")
ALGORITHM_NAME = Code("111001", "DCM", "Algorithm Name")
ALGORITHM_VERSION = Code("111003", "DCM", "Algorithm Version")
DIAMETER = Code("81827009", "SCT", "Diameter")

FINDING = Code("121071", "DCM", "Finding")  # CID 7002, 6101
SIDES = {  # CID 244
    Side.RIGHT: Code("24028007", "SCT", "Right"),
    Side.LEFT: Code("7771000", "SCT", "Left"),
    Side.BILATERAL: Code("51440002", "SCT", "Bilateral"),
}

SECTIONS = {  # CID 7001: LOINC is written
    Section.INDICATION: Code("18785-6", "LN", "Indications for Procedure"),
    Section.TECHNIQUE: Code("55111-9", "LN", "Current Procedure Descriptions"),
    Section.FINDINGS: Code("59776-5", "LN", "Findings"),
    Section.IMPRESSION: Code("19005-8", "LN", "Impressions"),
}
RETIRED_SECTIONS = {  # DCM codes of the same headings, read and never written
    Section.INDICATION: "121109",
    Section.TECHNIQUE: "121064",
    Section.FINDINGS: "121070",
    Section.IMPRESSION: "121072",
}
ELEMENTS = {  # CID 7002, the TEXT inside each heading
    Section.INDICATION: Code("11329-0", "LN", "History"),
    Section.TECHNIQUE: Code("121065", "DCM", "Procedure Description"),
    Section.FINDINGS: FINDING,
    Section.IMPRESSION: Code("121073", "DCM", "Impression"),
}

LANGUAGES = {
    Language.ZH: Code("zh-CN", "RFC5646", "Chinese (S)"),
    Language.EN: Code("en-US", "RFC5646", "English (United States)"),
}

PRELIMINARY_REPORT = Code("121362", "DCM", "Preliminary report")  # CID 7009
SOURCE_DOCUMENT = Code("121335", "DCM", "Source Document")
PROCESSING_EQUIPMENT = Code("109102", "DCM", "Processing Equipment")  # CID 7005


PRIVATE_SCHEME = "99RADGEN"


def code_item(code: Code) -> Dataset:
    """One item of a code sequence (PS3.3 table 8.8-1a)."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme
    item.CodeMeaning = code.meaning
    return item


def coded(code: Code) -> Sequence:
    """A code sequence of one item."""
    return Sequence([code_item(code)])


def uses_private_scheme(ds: Dataset) -> bool:
    """True if any code of the document, at any depth, is our own."""
    return any(element.value == PRIVATE_SCHEME for element in ds.iterall() if element.VR == "SH")


def put_private_scheme(ds: Dataset) -> None:
    """Coding Scheme Identification Sequence (PS3.3 C.12.1.1.1) for codes that are our own."""
    item = Dataset()
    item.CodingSchemeDesignator = PRIVATE_SCHEME
    item.CodingSchemeName = "RadGen concepts without a public code"
    item.CodingSchemeVersion = "2026.1"
    item.CodingSchemeResponsibleOrganization = "RadGen"
    ds.CodingSchemeIdentificationSequence = Sequence([item])


def listed(ds: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence, none where it is absent or empty."""
    return list(ds.get(keyword) or ())


def code_of(sequence: Sequence | None) -> Code | None:
    """The first item of a code sequence, None where there is none or it lacks a part."""
    if not sequence:
        return None
    item = sequence[0]
    parts = [item.get(name) for name in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")]
    return Code(*(str(part) for part in parts)) if all(parts) else None
