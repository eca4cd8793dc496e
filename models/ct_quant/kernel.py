"""Is a reconstruction kernel soft enough to measure density? By the vendors' names for them.

A sharp kernel adds noise that pushes lung voxels below -950 HU: the same scan then looks
emphysematous. What is not known to be soft is not taken for soft.
"""

import re
from enum import StrEnum


class Kernel(StrEnum):
    """How a kernel treats edges."""

    SOFT = "soft"
    UNKNOWN = "unknown"
    SHARP = "sharp"


_SIEMENS = re.compile(r"[BIUHQ][A-Z]?(\d{2})[A-Z]*(\\.*)?")
"""B40f, I30s, Br36d, Bl57: the number is the sharpness."""
_SIEMENS_SOFT = 45
_SIEMENS_SHARP = 50

_CANON = re.compile(r"FC(\d{2})")
"""FC01-FC19: body, soft to medium; FC30 and up: bone and lung."""
_CANON_SOFT = range(1, 20)
_CANON_SHARP = 30

_SOFT_WORDS = ("SOFT", "STANDARD", "STD", "SMOOTH")
_SHARP_WORDS = ("LUNG", "BONE", "EDGE", "SHARP", "ULTRA", "DETAIL", "HRCT")
_PHILIPS = {
    "A": Kernel.SOFT,
    "B": Kernel.SOFT,
    "YA": Kernel.SHARP,
    "YB": Kernel.SHARP,
    "L": Kernel.SHARP,
    "D": Kernel.SHARP,
    "E": Kernel.SHARP,
}


def classify_kernel(name: str) -> Kernel:
    """Soft, sharp or unknown, by Convolution Kernel (0018,1210) as written."""
    text = name.strip().upper()
    siemens, canon = _SIEMENS.fullmatch(text), _CANON.match(text)
    if siemens:
        return _by_number(int(siemens[1]), _SIEMENS_SOFT, _SIEMENS_SHARP)
    if canon:
        number = int(canon[1])
        soft = _CANON_SOFT.stop - 1 if number in _CANON_SOFT else -1
        return _by_number(number, soft, _CANON_SHARP)
    if any(word in text for word in _SHARP_WORDS):
        return Kernel.SHARP
    if any(word in text for word in _SOFT_WORDS):
        return Kernel.SOFT
    return _PHILIPS.get(text, Kernel.UNKNOWN)


def _by_number(number: int, soft: int, sharp: int) -> Kernel:
    if number <= soft:
        return Kernel.SOFT
    return Kernel.SHARP if number >= sharp else Kernel.UNKNOWN
