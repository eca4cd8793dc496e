"""A draft as Comprehensive SR: TID 2000 built by hand, since no library has it.

The first language is the report, the others are copies that name it, and measured values go into a
TID 1500 beside them. TID 2001 is not extensible: under a text stands an image and nothing else.
Everything is a pure function of its arguments; the same draft always gives the same bytes.
"""

from collections.abc import Iterable, Sequence

from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage

from radgen.dicom import content_items as items
from radgen.dicom import document_modules as modules
from radgen.dicom.codes import (
    BEST_ILLUSTRATION,
    DEVICE_TYPE,
    DIAGNOSTIC_IMAGING_REPORT,
    ELEMENTS,
    IMAGING_PROCEDURE,
    LANGUAGE,
    LANGUAGES,
    PROCEDURE_REPORTED,
    SECTIONS,
    TARGET_REGION,
)
from radgen.dicom.draft_uids import TEXT_KIND
from radgen.dicom.private_block import put_draft
from radgen.dicom.sr_settings import SrSettings
from radgen.dicom.write_header import new_document
from radgen.dicom.write_measurements import has_measurements, write_measurements
from radgen.domain.errors import DocumentError
from radgen.domain.finding import FindingStructure, ImageEvidence
from radgen.domain.report import DraftReport, Language, ReportText, SectionText, Sentence
from radgen.knowledge import procedures
from radgen.records import to_json


def write_draft(
    report: DraftReport, source: Dataset, images: Sequence[ImageEvidence], settings: SrSettings
) -> tuple[Dataset, ...]:
    """The documents of one draft: a text per language, then the measurements if there are any.

    source: header of any instance of the study; patient and study are copied from it.
    images: every instance that was read, in reading order; named as evidence together with those
        of the structure.
    Raises: DocumentError if the draft cannot be written (see `new_document`, or it lacks a language
        the settings ask for); UnknownTermError for a word the knowledge does not have.
    """
    read = _all_images(report.structure, images)
    documents: list[Dataset] = []
    for language in settings.languages:
        ds = _document(report, source, settings, language)
        modules.put_evidence(ds, read)
        if documents:
            modules.put_original(ds, documents[0])
        documents.append(ds)
    if not documents:
        raise DocumentError("the settings ask for no language")
    if has_measurements(report.structure):
        measured = write_measurements(report, source, read, settings)
        modules.put_original(measured, documents[0])
        documents.append(measured)
    return tuple(documents)


def _document(
    report: DraftReport, source: Dataset, settings: SrSettings, language: Language
) -> Dataset:
    found = [each for each in report.texts if each.language is language]
    if not found:
        raise DocumentError(f"the draft has no text in {language}")
    ds = new_document(report, source, settings, TEXT_KIND[language], ComprehensiveSRStorage)
    modules.put_flags(ds, report.structure)
    modules.put_author(ds, settings)
    modules.put_order(ds, source)
    modules.put_predecessor(ds, report)
    put_draft(ds, to_json(report))
    modules.put_root(ds, _root(report.structure, found[0], settings))
    return ds


def _root(structure: FindingStructure, text: ReportText, settings: SrSettings) -> Dataset:
    children = [
        *_modifiers(structure, text.language),
        *modules.observer_items(settings),
        *(_section(each, structure) for each in text.sections if each.sentences),
    ]
    return items.template(items.container(DIAGNOSTIC_IMAGING_REPORT, children), "2000")


def _modifiers(structure: FindingStructure, language: Language) -> Iterable[Dataset]:
    row = procedures.procedure(structure.modality)
    part = procedures.body_part(structure.body_part)
    modifier = items.HAS_CONCEPT_MOD
    yield items.code(PROCEDURE_REPORTED, row.procedure if row else IMAGING_PROCEDURE, modifier)
    if row:
        yield items.code(DEVICE_TYPE, row.device, modifier)
    if part:
        yield items.code(TARGET_REGION, part.code, modifier)
    yield items.code(LANGUAGE, LANGUAGES[language], modifier)


def _section(section: SectionText, structure: FindingStructure) -> Dataset:
    name = ELEMENTS[section.section]
    return items.container(
        SECTIONS[section.section],
        (
            items.with_children(items.text(name, each.text), _illustrations(each, structure))
            for each in section.sentences
        ),
    )


def _illustrations(sentence: Sentence, structure: FindingStructure) -> list[Dataset]:
    evidence = [each for i in sentence.findings for each in structure.findings[i].evidence]
    return [
        items.image(BEST_ILLUSTRATION, each, items.INFERRED_FROM)
        for each in items.unique_images(evidence)
    ]


def _all_images(
    structure: FindingStructure, images: Sequence[ImageEvidence]
) -> tuple[ImageEvidence, ...]:
    stated = (each for finding in structure.findings for each in finding.evidence)
    return (*images, *structure.images, *stated)
