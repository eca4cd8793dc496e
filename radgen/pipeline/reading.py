"""From files to a finding structure: header, plan, pixels, networks or measurements.

A study that no pack may read ends in a structure that says why; nothing is guessed. The same
functions serve the worker and `radgen draft`.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from models.pack import Pack
from models.preprocess.radiograph import to_model_input
from radgen.compose.compose import compose
from radgen.dicom.read_header import read_header
from radgen.dicom.read_radiograph import read_radiograph
from radgen.dicom.read_volume import read_volume
from radgen.domain.errors import (
    GeometryError,
    PackError,
    UnreadableInstanceError,
    UnsupportedStudyError,
)
from radgen.domain.finding import FindingStructure, ImageEvidence
from radgen.domain.image import Radiograph, Volume
from radgen.domain.report import DraftReport, Language
from radgen.domain.study import InstanceHeader
from radgen.drafting.assess_radiograph import assess_radiograph
from radgen.drafting.assess_volume import assess_volume
from radgen.drafting.engine import Engine
from radgen.drafting.proposal import CheckedProposal, check_proposal
from radgen.pipeline.read_back import check_texts
from radgen.select.plan import ReadingPlan, plan_study

log = logging.getLogger(__name__)
RADIOGRAPH_PACK, VOLUME_PACK = "cxr-adult", "ct-chest-quant"


@dataclass(frozen=True, slots=True)
class ReadingRoom:
    """Who reads: the engine and the verified packs by name."""

    engine: Engine
    packs: Mapping[str, Pack]
    max_tokens: int = 160
    deadline_s: float = 60.0


@dataclass(frozen=True, slots=True)
class StudyReading:
    """What was read, why it was chosen, and what is said about it.

    image: the pixels that were read, for a picture; None for a refused study.
    unreadable: how many files had no readable header.
    proposal: what of the decoder's words agrees with the structure; None where nothing was written.
    """

    plan: ReadingPlan
    structure: FindingStructure
    image: Radiograph | Volume | None = None
    unreadable: int = 0
    proposal: CheckedProposal | None = None

    def summary(self) -> dict[str, object]:
        """Plain JSON without identity, for the timeline."""
        return {
            "pack": self.plan.pack_name,
            "refusal": self.structure.refusal,
            "read": len(self.plan.instances),
            "unreadable": self.unreadable,
            "decoder": _counts(self.proposal),
            "left_out": [list(pair) for pair in self.plan.left_out],
        }


def _counts(proposal: CheckedProposal | None) -> dict[str, int] | None:
    return {"kept": len(proposal.kept), "dropped": proposal.dropped} if proposal else None


def read_study(paths: Sequence[Path], room: ReadingRoom, missing: int | None) -> StudyReading:
    """Reads one study version.

    missing: images the archive has and we lack; None when nobody could say.
    Raises: InferenceUnavailableError to be tried again, PackError if a pack is not installed.
    """
    headers, unreadable = _headers(paths)
    plan = plan_study(headers)
    reading = _refused(plan) if plan.refusal else _read(plan, room)
    cautions = ("incomplete-study",) if missing or unreadable else ()
    structure = replace(
        reading.structure,
        missing=missing,
        cautions=(*plan.cautions, *reading.structure.cautions, *cautions),
    )
    return replace(reading, structure=structure, unreadable=unreadable)


def to_report(
    structure: FindingStructure,
    study_uid: str,
    version: int,
    drafted_at: datetime,
    predecessor: tuple[str, int] | None,
) -> DraftReport:
    """The structure with its texts, Chinese first.

    predecessor: SOP Instance UID and version of the draft it replaces.
    Raises: UnfaithfulTextError if a text does not say what the structure says.
    """
    texts = compose(structure, (Language.ZH, Language.EN))
    check_texts(structure, texts)
    return DraftReport(
        study_uid=study_uid,
        version=version,
        drafted_at=drafted_at,
        structure=structure,
        texts=texts,
        predecessor=predecessor[0] if predecessor else None,
        predecessor_version=predecessor[1] if predecessor else None,
    )


def _headers(paths: Sequence[Path]) -> tuple[list[InstanceHeader], int]:
    headers = []
    for path in paths:
        try:
            headers.append(read_header(path))
        except UnreadableInstanceError as error:
            log.warning("instance left out", extra={"why": str(error)})
    return headers, len(paths) - len(headers)


def _refused(plan: ReadingPlan, reason: str = "", details: str = "") -> StudyReading:
    structure = FindingStructure(
        modality=plan.modality,
        body_part=plan.body_part,
        refusal=reason or plan.refusal,
        details=details or plan.details,
        images=tuple(map(to_evidence, plan.instances)),
    )
    return StudyReading(plan, structure)


def to_evidence(header: InstanceHeader) -> ImageEvidence:
    """The instance itself, without a region."""
    return ImageEvidence(header.sop_class_uid, header.sop_instance_uid, header.series_uid)


def _read(plan: ReadingPlan, room: ReadingRoom) -> StudyReading:
    read = {RADIOGRAPH_PACK: _read_radiograph, VOLUME_PACK: _read_volume}[str(plan.pack_name)]
    try:
        return read(plan, room)
    except GeometryError as error:
        return _refused(plan, "geometry-fault", str(error))
    except UnreadableInstanceError as error:
        return _refused(plan, "unreadable-pixels", str(error))
    except UnsupportedStudyError as error:
        return _refused(plan, "turned-image", str(error))


def _read_radiograph(plan: ReadingPlan, room: ReadingRoom) -> StudyReading:
    """The first film of the plan is read; what else was chosen stays as evidence of the study."""
    pack = _pack(room, RADIOGRAPH_PACK)
    radiograph = read_radiograph(plan.instances[0])
    prepared = to_model_input(radiograph.pixels)
    raw = room.engine.read(prepared.image, room.max_tokens, room.deadline_s)
    structure = assess_radiograph(radiograph, raw, prepared.geometry, pack)
    structure = replace(structure, modality=plan.modality, body_part=plan.body_part)
    # The decoder never saw the gate: of a refused film its words are not even looked at.
    proposal = None if structure.refusal else check_proposal(raw.text, structure)
    return StudyReading(plan, structure, radiograph, proposal=proposal)


def _read_volume(plan: ReadingPlan, room: ReadingRoom) -> StudyReading:
    pack = _pack(room, VOLUME_PACK)
    volume = read_volume(plan.instances)
    structure = assess_volume(volume, pack)
    structure = replace(structure, modality=plan.modality, body_part=plan.body_part)
    return StudyReading(plan, structure, volume)


def _pack(room: ReadingRoom, name: str) -> Pack:
    try:
        return room.packs[name]
    except KeyError:
        raise PackError(f"pack {name} is not installed") from None
