"""The parts of `radgen draft`: which studies a folder holds, and one of them drafted."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from radgen.cli.handout import write_files
from radgen.dicom.read_header import read_header
from radgen.dicom.sr_settings import SrSettings
from radgen.domain.errors import DocumentError, StudyError, UnreadableInstanceError
from radgen.domain.report import DraftReport, Language, Section
from radgen.pipeline.reading import ReadingRoom, read_study, to_report
from radgen.pipeline.returning import build_documents
from radgen.pipeline.steps import utc_now


@dataclass(frozen=True, slots=True)
class DraftedStudy:
    """One study's draft on disk."""

    folder: Path
    report: DraftReport

    @property
    def words(self) -> str:
        """The impression in English, one line, without its labels."""
        text = next(each for each in self.report.texts if each.language is Language.EN)
        section = next(each for each in text.sections if each.section is Section.IMPRESSION)
        return " ".join(sentence.text for sentence in section.sentences[1:-1])

    def as_json(self) -> dict[str, object]:
        """For programs."""
        structure = self.report.structure
        return {
            "folder": str(self.folder),
            "study": self.report.study_uid,
            "refusal": structure.refusal,
            "findings": {each.finding: each.presence for each in structure.findings},
            "measurements": {
                each.quantity: [each.value, each.unit] for each in structure.measurements
            },
        }


def find_studies(source: Path) -> tuple[list[list[Path]], int]:
    """Files by study, in order of their names, and how many files are not DICOM."""
    files = (
        sorted(path for path in source.rglob("*") if path.is_file())
        if source.is_dir()
        else [source]
    )
    studies: dict[str, list[Path]] = defaultdict(list)
    strangers = 0
    for path in files:
        try:
            studies[read_header(path).study_uid].append(path)
        except UnreadableInstanceError:
            strangers += 1
    return list(studies.values()), strangers


def draft_studies(
    studies: Iterable[Sequence[Path]], room: ReadingRoom, settings: SrSettings, out: Path
) -> tuple[list[DraftedStudy], list[str]]:
    """Drafts each study; one that cannot be drafted keeps no other back.

    Returns: the drafts, and a line for each study without one.
    Raises: PackError, InferenceUnavailableError, which the next study would meet too.
    """
    drafted, faults = [], []
    for paths in studies:
        try:
            drafted.append(draft_study(paths, room, settings, out))
        except (StudyError, DocumentError) as error:
            faults.append(f"{paths[0].parent}: {type(error).__name__}: {error}")
    return drafted, faults


def draft_study(
    paths: Sequence[Path], room: ReadingRoom, settings: SrSettings, out: Path
) -> DraftedStudy:
    """Reads one study and writes its draft to a folder of its own.

    Raises: StudyError, DocumentError, PackError, PeerError as the steps do.
    """
    study_uid = read_header(paths[0]).study_uid
    reading = read_study(paths, room, missing=0)
    report = to_report(reading.structure, study_uid, 1, utc_now(), None)
    documents = build_documents(report, paths, settings)
    folder = out / study_uid
    write_files(folder, report, [document.data for document in documents], paths)
    return DraftedStudy(folder, report)
