"""Which frontal chest radiographs of a study are read."""

import re
from collections import Counter
from collections.abc import Sequence

from radgen.domain.study import InstanceHeader
from radgen.select.body_part import body_part_word, chest_by_header
from radgen.select.choice import Choice, in_order

PACK = "cxr-adult"
MODALITIES = frozenset({"CR", "DX"})

_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
"""Digital X-Ray Image Storage - For Processing: detector values, not made to be looked at."""
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

_FRONTAL = frozenset({"PA", "AP", "POSTERO-ANTERIOR", "ANTERO-POSTERIOR", "FRONTAL"})
_LATERAL = frozenset({"LL", "RL", "LAT", "LATERAL", "LEFT LATERAL", "RIGHT LATERAL"})
_OTHER_VIEW = frozenset(
    {"LLD", "RLD", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "OBL", "OBLIQUE", "LORDOTIC"}
)
_FRONTAL_WORDS = re.compile(r"\b(pa|ap)\b|正位", re.IGNORECASE)
"""A protocol called "CHEST PA/LAT" says nothing of one image."""
_LATERAL_WORDS = re.compile(r"\b(lat|lateral|ll|rl)\b|侧位", re.IGNORECASE)


def choose_radiographs(headers: Sequence[InstanceHeader]) -> Choice:
    """Frontal chest images, primary before secondary and newest first.

    headers: images of modality CR or DX of one study.
    """
    reasons = {header.path: _reason_to_leave(header) for header in headers}
    taken = [header for header in headers if reasons[header.path] is None]
    left_out = in_order((h.series_uid, reason) for h in headers if (reason := reasons[h.path]))
    if not taken:
        refusal, details = _refusal(headers, [reasons[header.path] or "" for header in headers])
        return Choice(PACK, refusal=refusal, details=details, left_out=left_out)
    taken.sort(key=lambda h: (h.series_number or 0, h.instance_number or 0, h.sop_instance_uid))
    taken.sort(key=lambda h: h.acquired_at, reverse=True)
    taken.sort(key=lambda h: "SECONDARY" in h.image_type)
    return Choice(PACK, instances=tuple(taken), left_out=left_out, cautions=_cautions(taken))


def _reason_to_leave(header: InstanceHeader) -> str | None:
    rules = (
        (header.sop_class_uid == _FOR_PROCESSING, "unsupported-modality"),
        (header.frames != 1, "multi-frame"),
        (not chest_by_header(header), "wrong-body-part"),
        (_is_lateral(header), "lateral-view"),
        (header.view in _OTHER_VIEW, "not-a-frontal-chest"),
    )
    return next((reason for applies, reason in rules if applies), None)


def _is_lateral(header: InstanceHeader) -> bool:
    """A description may exclude an image where the view is silent; it never vouches for one."""
    if header.view in _FRONTAL:
        return False
    words = f"{header.series_description} {header.protocol_name}"
    said = _LATERAL_WORDS.search(words) and not _FRONTAL_WORDS.search(words)
    return header.view in _LATERAL or bool(said)


def _refusal(headers: Sequence[InstanceHeader], reasons: list[str]) -> tuple[str, str]:
    """The commonest reason speaks for the study."""
    refusal = max(sorted(set(reasons)), key=Counter(reasons).__getitem__)
    details = {
        "wrong-body-part": body_part_word(headers[reasons.index(refusal)]),
        "unsupported-modality": "for processing",
    }
    return refusal, details.get(refusal, "")


def _cautions(taken: Sequence[InstanceHeader]) -> tuple[str, ...]:
    first = taken[0]
    rules = (
        (first.view not in _FRONTAL, "view-unknown"),
        (first.sop_class_uid == _SECONDARY_CAPTURE, "secondary-capture"),
    )
    return tuple(caution for applies, caution in rules if applies)
