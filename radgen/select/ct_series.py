"""Which series of a chest CT is measured: original, axial, soft, thin, complete."""

import re
from collections.abc import Sequence
from itertools import filterfalse

from models.ct_quant.kernel import Kernel, classify_kernel
from radgen.domain.study import InstanceHeader
from radgen.select.body_part import body_part_word, chest_by_header
from radgen.select.choice import Choice, in_order

PACK = "ct-chest-quant"
MODALITIES = frozenset({"CT"})
MIN_SLICES = 16

_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_ENHANCED_CT = frozenset({"1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"})
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_LOCALIZER_WORDS = re.compile(r"scout|topogram|scano|localizer|surview|定位", re.IGNORECASE)
_DERIVED_TYPES = frozenset(
    {"DERIVED", "SECONDARY", "REFORMATTED", "MPR", "MIP", "MINIP", "PROJECTION IMAGE", "MAX_IP"}
)
_AXIAL_COSINE = 0.9
"""Steeper slices are reformats along another plane; less steep ones are tilted, a fault later."""
_KERNEL_RANK = {Kernel.SOFT: 0, Kernel.UNKNOWN: 1, Kernel.SHARP: 2}
_UNKNOWN_THICKNESS_MM = 1000.0
_TELLING = (
    "wrong-body-part",
    "too-few-slices",
    "multi-frame",
    "derived",
    "secondary-capture",
    "localizer",
    "unsupported-modality",
)
"""Reasons, the one that tells most about a refused study first."""


def choose_series(headers: Sequence[InstanceHeader]) -> Choice:
    """The best series of a chest CT, its slices in order of position.

    headers: images of modality CT of one study.
    """
    reasons = {header.path: _reason_to_leave(header) for header in headers}
    left = [(h.series_uid, reason) for h in headers if (reason := reasons[h.path])]
    candidates = []
    for series in _by_series([h for h in headers if reasons[h.path] is None]):
        if len(series) < MIN_SLICES:
            left.append((series[0].series_uid, "too-few-slices"))
        else:
            candidates.append(series)
    if not candidates:
        return _refused(headers, left)
    candidates.sort(key=_rank)
    left += [(series[0].series_uid, "other-kernel") for series in candidates[1:]]
    best = sorted(candidates[0], key=lambda h: (_height(h), h.sop_instance_uid))
    return Choice(PACK, instances=tuple(best), left_out=in_order(left))


def _refused(headers: Sequence[InstanceHeader], left: list[tuple[str, str]]) -> Choice:
    found = {reason for _, reason in left}
    refusal = next(reason for reason in _TELLING if reason in found)
    slices = max((len(series) for series in _by_series(headers)), default=0)
    details = {
        "wrong-body-part": next(map(body_part_word, filterfalse(chest_by_header, headers)), ""),
        "too-few-slices": f"{slices} slices, {MIN_SLICES} needed",
        "secondary-capture": "tagged CT",
        "unsupported-modality": "a projection image tagged CT",
    }
    return Choice(PACK, refusal=refusal, details=details.get(refusal, ""), left_out=in_order(left))


def _reason_to_leave(header: InstanceHeader) -> str | None:
    rules = (
        (header.sop_class_uid.startswith(_SECONDARY_CAPTURE), "secondary-capture"),
        (header.frames != 1 or header.sop_class_uid in _ENHANCED_CT, "multi-frame"),
        (header.sop_class_uid != _CT_IMAGE, "unsupported-modality"),
        (_is_localizer(header), "localizer"),
        (not _DERIVED_TYPES.isdisjoint(header.image_type), "derived"),
        (not _is_axial(header), "derived"),
        (not chest_by_header(header), "wrong-body-part"),
    )
    return next((reason for applies, reason in rules if applies), None)


def _is_localizer(header: InstanceHeader) -> bool:
    words = f"{header.series_description} {header.protocol_name}"
    named = bool(_LOCALIZER_WORDS.search(words))
    return "LOCALIZER" in header.image_type or named


def _is_axial(header: InstanceHeader) -> bool:
    """True also where the header does not say: then the geometry will be refused by name."""
    if not header.orientation:
        return True
    a, b, _, d, e, _ = header.orientation
    return abs(a * e - b * d) > _AXIAL_COSINE


def _by_series(headers: Sequence[InstanceHeader]) -> list[list[InstanceHeader]]:
    series: dict[str, list[InstanceHeader]] = {}
    for header in headers:
        series.setdefault(header.series_uid, []).append(header)
    return list(series.values())


def _rank(series: list[InstanceHeader]) -> tuple[int, float, int, int, str]:
    first = series[0]
    return (
        _KERNEL_RANK[classify_kernel(first.kernel)],
        first.slice_thickness_mm or _UNKNOWN_THICKNESS_MM,
        -len(series),
        first.series_number or 0,
        first.series_uid,
    )


def _height(header: InstanceHeader) -> float:
    return header.position_mm[2] if header.position_mm else 0.0
