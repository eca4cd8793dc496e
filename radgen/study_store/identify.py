"""Which instance is in a part: our own walk first, pydicom where the bytes are not as declared."""

import io
import os

from pydicom import dcmread

from radgen.domain.errors import UnreadableInstanceError
from radgen.study_store.header_walk import EncodingError, InstanceUids, find_uids, uids_from
from radgen.study_store.part import Part

# What pydicom may have in memory at once.
FALLBACK_BYTES = 64 * 1024 * 1024
_WANTED = {
    0x00080016: "SOPClassUID",
    0x00080018: "SOPInstanceUID",
    0x0020000D: "StudyInstanceUID",
    0x0020000E: "SeriesInstanceUID",
}


def identify(
    part: Part, start: int, transfer_syntax_uid: str, head: bytes | bytearray = b""
) -> InstanceUids:
    """UIDs of the dataset that begins at byte `start` of `part`; `head`: its first bytes.

    Raises: UnreadableInstanceError with a reason that holds no value of the data.
    """
    size = part.size - start
    try:
        return find_uids(part.fd, start, size, transfer_syntax_uid, head)
    except EncodingError as error:
        if size > FALLBACK_BYTES:
            raise
        return _ask_pydicom(part, error)


def _ask_pydicom(part: Part, first: EncodingError) -> InstanceUids:
    """Real senders mix encodings (an unknown VR, implicit bytes in an explicit syntax)."""
    content = io.BytesIO(os.pread(part.fd, part.size, 0))
    try:
        dataset = dcmread(content, stop_before_pixels=True, specific_tags=list(_WANTED))
        found = {tag: str(dataset.get(word, "")) for tag, word in _WANTED.items()}
    except Exception as error:  # hostile bytes: whatever the parser raises means the same
        raise UnreadableInstanceError(str(first)) from error
    return uids_from(found)
