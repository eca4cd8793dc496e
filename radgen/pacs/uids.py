"""A UID that came from outside, checked before it goes into a query or a URL."""

import re

from radgen.domain.errors import StudyError

# PS3.5 9.1: digits and dots, at most 64. A backslash would make it a list, "*" or "/" something
# else again.
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def is_uid(uid: str) -> bool:
    """True for digits and dots in the form of a UID."""
    return len(uid) <= 64 and _UID.fullmatch(uid) is not None


def checked_uid(uid: str) -> str:
    """The same UID. Raises: StudyError when it has characters that no UID has."""
    if not is_uid(uid):
        raise StudyError("an identifier is no DICOM UID")
    return uid
