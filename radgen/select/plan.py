"""One study's headers in, one reading plan out: what is read, by what, and why not the rest."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from radgen.domain.study import NO_IMAGE_MODALITIES, InstanceHeader
from radgen.select import ct_series, projection
from radgen.select.body_part import CHEST, body_part_word, chest_by_header
from radgen.select.choice import Choice, in_order

ADULT_YEARS = 18.0

_NO_IMAGE_CLASSES = tuple(
    f"1.2.840.10008.5.1.4.1.1.{tail}" for tail in ("88.", "11.", "66", "104.", "481.", "9.", "67")
)
"""Structured reports and key objects, presentation states, segmentations, encapsulated documents,
radiotherapy objects, waveforms, value maps (PS3.4 B.5)."""


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """What is read of one study version.

    pack_name: None when the study is refused.
    refusal, cautions: ids of rows in `radgen/knowledge/reasons.toml`.
    details: short technical words that complete the refusal; no identity.
    body_part: "CHEST", or the word of the header.
    instances: of the chosen images or series, in reading order; empty when refused.
    left_out: (series UID, reason id), each once.
    """

    pack_name: str | None
    refusal: str | None
    details: str
    modality: str
    body_part: str
    instances: tuple[InstanceHeader, ...]
    left_out: tuple[tuple[str, str], ...]
    cautions: tuple[str, ...]


def plan_study(headers: Sequence[InstanceHeader]) -> ReadingPlan:
    """Decides which images of a study are read, by which pack.

    Reports, key objects, presentation states and segmentations are never read, so a draft that
    comes back changes nothing. Children and studies without a supported image are refused; an
    unknown age or view is a caution. The order of `headers` does not matter, nor an instance that
    comes twice.
    """
    headers = _distinct(headers)
    images = [header for header in headers if is_image(header)]
    silent = [(h.series_uid, "no-images") for h in headers if not is_image(h)]
    if not images:
        return _refused("no-images", "", images, silent)
    known = ct_series.MODALITIES | projection.MODALITIES
    supported = [header for header in images if header.modality in known]
    others = [(h.series_uid, "unsupported-modality") for h in images if h.modality not in known]
    left = silent + others
    if not supported:
        return _refused("unsupported-modality", _modalities(images), images, left)
    ages = [header.age_years for header in supported if header.age_years is not None]
    if ages and min(ages) < ADULT_YEARS:
        return _refused("paediatric", "", supported, left)
    cautions = () if ages else ("age-unknown",)
    return _plan(_choices(supported), supported, left, cautions)


def is_image(header: InstanceHeader) -> bool:
    """True for an object that shows the patient."""
    return (
        header.modality not in NO_IMAGE_MODALITIES
        and not header.sop_class_uid.startswith(_NO_IMAGE_CLASSES)
        and header.rows > 0
        and header.columns > 0
    )


def _distinct(headers: Sequence[InstanceHeader]) -> list[InstanceHeader]:
    by_path = sorted(headers, key=lambda header: str(header.path))
    once = {header.sop_instance_uid: header for header in by_path}.values()
    return sorted(once, key=lambda h: (h.series_uid, h.instance_number or 0, h.sop_instance_uid))


def _choices(images: Sequence[InstanceHeader]) -> list[Choice]:
    slices = [header for header in images if header.modality in ct_series.MODALITIES]
    films = [header for header in images if header.modality in projection.MODALITIES]
    choices = [ct_series.choose_series(slices)] if slices else []
    return choices + ([projection.choose_radiographs(films)] if films else [])


def _plan(
    choices: list[Choice],
    images: Sequence[InstanceHeader],
    left: list[tuple[str, str]],
    cautions: tuple[str, ...],
) -> ReadingPlan:
    """The first choice with something to read; one pack reads one study version."""
    taken = next((choice for choice in choices if choice.instances), None)
    passed_over = [
        (header.series_uid, "no-model")
        for choice in choices
        if choice is not taken
        for header in choice.instances
    ]
    left = left + passed_over + [pair for choice in choices for pair in choice.left_out]
    if taken is None:
        return _refused(choices[0].refusal or "", choices[0].details, images, left)
    return ReadingPlan(
        pack_name=taken.pack_name,
        refusal=None,
        details="",
        modality=taken.instances[0].modality,
        body_part=CHEST,
        instances=taken.instances,
        left_out=in_order(left),
        cautions=cautions + taken.cautions,
    )


def _refused(
    reason: str,
    details: str,
    images: Sequence[InstanceHeader],
    left: list[tuple[str, str]],
) -> ReadingPlan:
    first = images[0] if images else None
    return ReadingPlan(
        pack_name=None,
        refusal=reason,
        details=details,
        modality=_word(first.modality) if first else "",
        body_part=_body_part(first) if first else "",
        instances=(),
        left_out=in_order(left),
        cautions=(),
    )


def _body_part(header: InstanceHeader) -> str:
    if chest_by_header(header):
        return CHEST
    return body_part_word(header) if header.body_part else ""


def _modalities(images: Sequence[InstanceHeader]) -> str:
    return ", ".join(sorted({_word(header.modality) or "none" for header in images})[:4])


def _word(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text)[:16]
