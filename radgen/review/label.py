"""The AIGC label of a page (GB 45438-2025), carried in its metadata."""

import hashlib
import json

from radgen.domain.report import DraftReport
from radgen.records import to_json


def page_label(producer: str) -> str:
    """The label of a page that shows drafts without being one."""
    return _label(producer, "", "")


def draft_label(producer: str, report: DraftReport) -> str:
    """The label of one draft: its version and the digest of its content."""
    digest = hashlib.sha256(to_json(report).encode()).hexdigest()
    return _label(producer, f"{report.study_uid}:{report.version}", digest)


def _label(producer: str, produce_id: str, digest: str) -> str:
    content = {
        "Label": "1",
        "ContentProducer": producer,
        "ProduceID": produce_id,
        "ReservedCode1": digest,
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    return json.dumps({"AIGC": content}, separators=(",", ":"))
