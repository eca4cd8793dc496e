"""From raw scores of a radiograph to a finding structure; pure.

What lies between a label's two thresholds is not assessed, and so is everything the pack has no
score for. A picture that the pack was not made for gives no finding at all.
"""

from dataclasses import replace

import numpy as np

from models.calibration import calibrate, decide, judge_picture
from models.pack import Label, Pack
from models.preprocess.radiograph import SMALLEST_RANGE, ModelGeometry
from radgen.domain.errors import PackError
from radgen.domain.finding import (
    Certainty,
    Finding,
    FindingStructure,
    ImageEvidence,
    PackIdentity,
    Presence,
    Source,
)
from radgen.domain.image import Radiograph
from radgen.drafting.engine import Reading
from radgen.drafting.evidence_region import Regions, find_regions
from radgen.knowledge import findings

# Lower bounds of the calibrated probability, strongest word first; below the last: not excluded.
CERTAINTY = (
    (0.95, Certainty.CONSISTENT_WITH),
    (0.80, Certainty.PROBABLE),
    (0.50, Certainty.POSSIBLE),
)

# What the gate saw -> row of reasons.toml; any other kind is no frontal chest.
REFUSALS = {
    "lateral": "lateral-view",
    "inverted": "inverted-image",
    "blank": "blank-image",
}

# Regions that come in pairs; the heart and the mediastinum have no side to state.
PAIRED_REGIONS = frozenset({"lung", "pleura"})


def assess_radiograph(
    radiograph: Radiograph, reading: Reading, geometry: ModelGeometry, pack: Pack
) -> FindingStructure:
    """Reads the scores of one film.

    geometry: how the film was laid into the model's input.
    Returns: a structure whose modality and body part are the pack's first; a refusal has no pack.
    Raises: PackError if the scores do not fit the pack, or the pack names an unknown finding.
    """
    _check(reading, pack)
    structure = FindingStructure(
        modality=pack.input.modalities[0],
        body_part=pack.input.body_parts[0],
        images=(radiograph.evidence,),
    )
    refusal, details = _refusal(radiograph, reading, pack)
    if refusal:
        return replace(structure, refusal=refusal, details=details)
    probabilities = calibrate(reading.logits, pack.labels)
    assessed = [
        _finding(label, float(chance), find_regions(activation, geometry), radiograph.evidence)
        for label, chance, activation in zip(
            pack.labels, probabilities, reading.evidence, strict=True
        )
    ]
    return replace(
        structure,
        pack=PackIdentity(pack.name, pack.version, pack.digest),
        findings=(*assessed, *_without_model(pack)),
    )


def certainty_of(probability: float) -> Certainty:
    """The word for a calibrated probability of a present finding."""
    for bound, word in CERTAINTY:
        if probability >= bound:
            return word
    return Certainty.NOT_EXCLUDED


def _check(reading: Reading, pack: Pack) -> None:
    count = len(pack.labels)
    if reading.logits.shape != (count,) or len(reading.evidence) != count:
        raise PackError(f"{pack.name}: {reading.logits.shape} scores for {count} labels")
    if pack.gate is not None and reading.gate.shape != (len(pack.gate.kinds),):
        raise PackError(f"{pack.name}: {reading.gate.shape} gate scores")
    tensors = (reading.logits, reading.evidence, reading.gate)
    if not all(np.isfinite(tensor).all() for tensor in tensors):
        raise PackError(f"{pack.name}: a score is not finite")
    for label in pack.labels:
        if label.finding not in findings.entries():
            raise PackError(f"{pack.name}: unknown finding {label.finding!r}")


def _refusal(radiograph: Radiograph, reading: Reading, pack: Pack) -> tuple[str, str]:
    """(reason, details), ("", "") where the pack may read the film."""
    if float(np.ptp(radiograph.pixels)) < SMALLEST_RANGE:
        return "blank-image", ""
    if pack.gate is None:
        return "", ""
    verdict = judge_picture(reading.gate, pack.gate)
    if verdict.accepted:
        return "", ""
    # The accepted kind with too little certainty has no name of its own worth printing.
    named = "" if verdict.kind in (*REFUSALS, pack.gate.accepted) else verdict.kind
    return REFUSALS.get(verdict.kind, "not-a-frontal-chest"), named


def _finding(label: Label, probability: float, regions: Regions, whole: ImageEvidence) -> Finding:
    presence = Presence(decide(probability, label))
    finding = Finding(
        finding=label.finding,
        presence=presence,
        source=Source.CLASSIFIER,
        probability=probability,
        evidence=(whole,),
    )
    if presence is Presence.NOT_ASSESSED:
        return replace(finding, reason="uncertain")
    if presence is Presence.ABSENT:
        return finding
    sided = findings.entry(label.finding).region in PAIRED_REGIONS
    boxes = tuple(replace(whole, box=box) for box in regions.boxes)
    return replace(
        finding,
        certainty=certainty_of(probability),
        side=regions.side if sided else None,
        evidence=boxes or (whole,),
    )


def _without_model(pack: Pack) -> tuple[Finding, ...]:
    """What this modality can show and the pack has no score for."""
    scored = {label.finding for label in pack.labels}
    return tuple(
        Finding(row.id, Presence.NOT_ASSESSED, Source.RULE, reason="no-model")
        for row in findings.entries().values()
        if row.id not in scored and set(row.modalities) & set(pack.input.modalities)
    )
