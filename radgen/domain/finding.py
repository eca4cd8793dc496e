"""The finding structure: the waist of the hourglass.

Models and measurements produce it; sentences in any language, SR, pictures and pages only read it.
What was not assessed is said to be not assessed; it is never normal.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Presence(StrEnum):
    """Is it there? SNOMED 52101004 Present, 410516002 Known absent; the third is ours."""

    PRESENT = "present"
    ABSENT = "absent"
    NOT_ASSESSED = "not assessed"


class Certainty(StrEnum):
    """How sure a present finding is, strongest first (zh: 符合, 考虑, 可能, 不除外)."""

    CONSISTENT_WITH = "consistent with"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    NOT_EXCLUDED = "not excluded"


class Side(StrEnum):
    """The patient's side, never the picture's."""

    RIGHT = "right"
    LEFT = "left"
    BILATERAL = "bilateral"


class Source(StrEnum):
    """Where a statement comes from."""

    CLASSIFIER = "classifier"
    MEASUREMENT = "measurement"
    DECODER = "decoder"
    PRIOR = "prior"
    RULE = "rule"
    HUMAN = "human"


@dataclass(frozen=True, slots=True)
class Box:
    """A region of one stored frame, in pixels.

    0 <= left < right <= Columns, 0 <= top < bottom <= Rows.
    """

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class ImageEvidence:
    """One instance (and where known the region of it) that a statement rests on.

    frame: 1-based frame number of a multi-frame instance, None for a single-frame one.
    box: region in stored pixels, None when the whole image is meant.
    """

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    frame: int | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured value.

    quantity: id of a row in `radgen/knowledge/quantities.toml`, which holds code, names and unit
        words.
    unit: UCUM ("mm", "ml", "[hnsf'U]", "%", "1").
    method: what measured it, in English, a few words.
    """

    quantity: str
    value: float
    unit: str
    method: str
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One coded statement about one study version.

    finding: id of a row in `radgen/knowledge/findings.toml`.
    probability: calibrated probability of presence in [0, 1]; None where nothing estimates it.
    reason: why it was not assessed (id of a row in `radgen/knowledge/reasons.toml`); None
        otherwise.
    """

    finding: str
    presence: Presence
    source: Source
    certainty: Certainty | None = None
    side: Side | None = None
    site: str | None = None
    size_mm: float | None = None
    probability: float | None = None
    measurements: tuple[Measurement, ...] = ()
    evidence: tuple[ImageEvidence, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PackIdentity:
    """Which pack spoke: name, version and the SHA-256 over its manifest (64 hex digits)."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class FindingStructure:
    """All that is said about one study version.

    refusal: id of a row in `radgen/knowledge/reasons.toml` when no pack may read the study; then
        `pack` is None
    and every finding is NOT_ASSESSED (or there is none).
    details: short technical words that complete the refusal or a caution ("MG", "17 slices
        missing"), no identity.
    cautions: ids of rows in reasons.toml that limit the draft without refusing it ("age-unknown").
    images: the instances that were read, in reading order (first = key image).
    missing: how many instances the archive has that we did not receive (0 when complete, None when
        unknown).
    """

    modality: str
    body_part: str
    pack: PackIdentity | None = None
    findings: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    refusal: str | None = None
    details: str = ""
    cautions: tuple[str, ...] = ()
    images: tuple[ImageEvidence, ...] = field(default=())
    missing: int | None = 0
