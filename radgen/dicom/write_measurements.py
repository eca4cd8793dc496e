"""Measured values as a TID 1500, where a machine may look for them."""

from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage

from radgen.dicom import content_items as items
from radgen.dicom import document_modules as modules
from radgen.dicom.codes import (
    ALGORITHM_NAME,
    ALGORITHM_VERSION,
    DERIVATION,
    DIAMETER,
    FINDING,
    FINDING_SITE,
    IMAGING_MEASUREMENT_REPORT,
    IMAGING_MEASUREMENTS,
    IMAGING_PROCEDURE,
    LANGUAGE,
    LANGUAGES,
    LATERALITY,
    MEASUREMENT_GROUP,
    PROCEDURE_REPORTED,
    SIDES,
    SOURCE_OF_MEASUREMENT,
    TRACKING_ID,
    TRACKING_UID,
    put_private_scheme,
    uses_private_scheme,
)
from radgen.dicom.draft_uids import DocumentKind, tracking_uid
from radgen.dicom.sr_settings import SrSettings
from radgen.dicom.write_header import new_document
from radgen.domain.finding import (
    Finding,
    FindingStructure,
    ImageEvidence,
    Measurement,
    PackIdentity,
    Presence,
    Side,
)
from radgen.domain.report import DraftReport, Language
from radgen.knowledge import findings, procedures, quantities
from radgen.knowledge.tables import Code

_MM = Code("mm", "UCUM", "mm")


def has_measurements(structure: FindingStructure) -> bool:
    """True if a value was measured, of the study or of a finding that is there."""
    return bool(structure.measurements) or any(_is_measured(each) for each in structure.findings)


def write_measurements(
    report: DraftReport, source: Dataset, read: Sequence[ImageEvidence], settings: SrSettings
) -> Dataset:
    """The TID 1500 document of a draft that `has_measurements`.

    One group per measured finding, and one per value of the whole study.
    Raises: DocumentError, UnknownTermError as `write_draft`.
    """
    kind = DocumentKind.MEASUREMENTS
    ds = new_document(report, source, settings, kind, ComprehensiveSRStorage)
    modules.put_flags(ds, report.structure)
    modules.put_author(ds, settings)
    modules.put_order(ds, source)
    modules.put_evidence(ds, read)
    modules.put_root(ds, _root(report, settings))
    if uses_private_scheme(ds):
        put_private_scheme(ds)
    return ds


def _root(report: DraftReport, settings: SrSettings) -> Dataset:
    structure = report.structure
    row = procedures.procedure(structure.modality)
    procedure = row.procedure if row else IMAGING_PROCEDURE
    groups = [
        *(
            _of_finding(report, i)
            for i, each in enumerate(structure.findings)
            if _is_measured(each)
        ),
        *(_of_study(report, each) for each in structure.measurements),
    ]
    children = [
        items.code(LANGUAGE, LANGUAGES[Language.EN], items.HAS_CONCEPT_MOD),
        *modules.observer_items(settings),
        items.code(PROCEDURE_REPORTED, procedure, items.HAS_CONCEPT_MOD),
        items.container(IMAGING_MEASUREMENTS, groups),
    ]
    return items.template(items.container(IMAGING_MEASUREMENT_REPORT, children), "1500")


def _of_finding(report: DraftReport, index: int) -> Dataset:
    structure = report.structure
    finding = structure.findings[index]
    row = findings.entry(finding.finding)
    sizes = [] if finding.size_mm is None else [_size(finding.size_mm)]
    sources = [_source(each) for each in items.unique_images(finding.evidence)]
    return _group(
        report,
        f"{finding.finding} {index + 1}",
        [
            items.code(FINDING, row.code),
            _site(findings.site(finding.site or row.site).code, finding.side),
            *_algorithm(structure.pack),
            *(items.with_children(each, sources) for each in sizes),
            *(_value(each, sources) for each in finding.measurements),
        ],
    )


def _of_study(report: DraftReport, measurement: Measurement) -> Dataset:
    row = quantities.entry(measurement.quantity)
    side = quantities.side_of(measurement)
    name = " ".join(filter(None, (measurement.quantity, measurement.side)))
    key_image = [_source(each) for each in report.structure.images[:1]]
    return _group(
        report,
        name,
        [
            _site(findings.site(row.site).code, side),
            *_algorithm(report.structure.pack),
            _value(measurement, key_image),
        ],
    )


def _group(report: DraftReport, name: str, children: list[Dataset]) -> Dataset:
    """TID 1501."""
    tracking = [
        items.text(TRACKING_ID, name, items.HAS_OBS_CONTEXT),
        items.uid(TRACKING_UID, tracking_uid(report.study_uid, name), items.HAS_OBS_CONTEXT),
    ]
    return items.template(items.container(MEASUREMENT_GROUP, [*tracking, *children]), "1501")


def _site(site: Code, side: Side | None) -> Dataset:
    item = items.code(FINDING_SITE, site, items.HAS_CONCEPT_MOD)
    laterality = (
        [] if side is None else [items.code(LATERALITY, SIDES[side], items.HAS_CONCEPT_MOD)]
    )
    return items.with_children(item, laterality)


def _algorithm(pack: PackIdentity | None) -> list[Dataset]:
    """TID 4019."""
    if pack is None:
        return []
    return [
        items.text(ALGORITHM_NAME, pack.name, items.HAS_CONCEPT_MOD),
        items.text(ALGORITHM_VERSION, pack.version, items.HAS_CONCEPT_MOD),
    ]


def _value(measurement: Measurement, sources: list[Dataset]) -> Dataset:
    """TID 300: the value exactly as both texts print it."""
    row = quantities.entry(measurement.quantity)
    printed = quantities.number(measurement.value, row.decimals)
    unit = Code(row.unit, "UCUM", quantities.unit(row.unit).meaning)
    derived = [] if row.derivation is None else [_modifier(DERIVATION, row.derivation)]
    return items.with_children(items.number(row.code, printed, unit), [*derived, *sources])


def _size(size_mm: float) -> Dataset:
    return items.number(DIAMETER, quantities.number(size_mm, 1), _MM)


def _modifier(name: Code, value: Code) -> Dataset:
    return items.code(name, value, items.HAS_CONCEPT_MOD)


def _source(evidence: ImageEvidence) -> Dataset:
    """TID 320."""
    return items.image(SOURCE_OF_MEASUREMENT, evidence, items.INFERRED_FROM)


def _is_measured(finding: Finding) -> bool:
    has_value = bool(finding.measurements) or finding.size_mm is not None
    return has_value and finding.presence is Presence.PRESENT
