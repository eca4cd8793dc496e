"""Is it a chest? By the body part of the header, else by the words of its descriptions."""

import re

from radgen.domain.study import InstanceHeader

CHEST = "CHEST"

_CHEST_TAG = re.compile(r"(CHEST|THORAX|LUNGS?)([ _/,-].*)?|(CHEST|THORAX)(AB|PELV).*")
"""Body Part Examined (PS3.16 annex L) and what vendors make of it: "CHEST PA", "CHESTABDPELVIS".

RIBCAGE, STERNUM and TSPINE are other exposures of the same region and are not read.
"""
_CHEST_WORDS = re.compile(r"\b(chest|thorax|lungs?)|胸部|胸片|肺|(?<!\w)CXR", re.IGNORECASE)
_OTHER_WORDS = re.compile(
    r"\b(ribs?|ribcage|sternum|spine|ab(?:d\w*)|head|brain|pelvis|colon\w*|cardiac|heart|coronary)\b"
    r"|肋骨|胸椎|胸骨|腹|头|心脏|冠",
    re.IGNORECASE,
)


def chest_by_header(header: InstanceHeader) -> bool:
    """True where the header says chest; its body part counts before its descriptions."""
    if header.body_part:
        return _CHEST_TAG.fullmatch(header.body_part) is not None
    words = " ".join((header.series_description, header.protocol_name, header.study_description))
    return bool(_CHEST_WORDS.search(words)) and not _OTHER_WORDS.search(words)


def body_part_word(header: InstanceHeader) -> str:
    """Body part as one short plain word for a message, "not stated" where there is none."""
    return re.sub(r"[^A-Z0-9 _-]", "", header.body_part)[:16] or "not stated"
