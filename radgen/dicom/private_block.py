"""What travels beside the tree: the draft as JSON, and the AIGC label of generated content.

Group 0099, private creator RADGEN. Both values are ASCII (JSON escapes the rest), so they survive
every character set a peer may rewrite the instance into.
"""

import hashlib
import json

from pydicom.dataset import Dataset

from radgen.domain.errors import DocumentError

GROUP = 0x0099
CREATOR = "RADGEN"
_DRAFT = 0x01
_AIGC = 0x02
MAX_CHARACTERS = 8_000_000


def put_draft(ds: Dataset, draft_json: str) -> None:
    """Writes the draft; read it back with `get_draft`."""
    _put(ds, _DRAFT, _ascii(draft_json))


def put_label(ds: Dataset, producer: str, draft_json: str) -> None:
    """Writes the AIGC object (GB 45438-2025): who made it, which version, digest of the content."""
    label = {
        "AIGC": {
            "Label": "1",
            "ContentProducer": producer,
            "ProduceID": str(ds.SOPInstanceUID),
            "ReservedCode1": hashlib.sha256(draft_json.encode()).hexdigest(),
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        }
    }
    _put(ds, _AIGC, json.dumps(label, separators=(",", ":")))


def get_draft(ds: Dataset) -> str | None:
    """The draft's JSON, None in an instance that is not ours.

    Raises: DocumentError if it is longer than any draft of ours.
    """
    return _get(ds, _DRAFT)


def get_label(ds: Dataset) -> str | None:
    """The AIGC object's JSON, None where there is none. Raises: DocumentError if it is too long."""
    return _get(ds, _AIGC)


def _put(ds: Dataset, element: int, value: str) -> None:
    ds.private_block(GROUP, CREATOR, create=True).add_new(element, "UT", value)


def _get(ds: Dataset, element: int) -> str | None:
    try:
        value = ds.private_block(GROUP, CREATOR)[element].value
    except KeyError:
        return None
    if len(value) > MAX_CHARACTERS:
        raise DocumentError("the private block is too long")
    # An archive that stores implicit VR hands the value back as unknown bytes.
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return text.rstrip("\0 ")


def _ascii(text: str) -> str:
    """JSON with every other character escaped; escapes are legal wherever strings are."""
    return text if text.isascii() else json.dumps(json.loads(text), separators=(",", ":"))
