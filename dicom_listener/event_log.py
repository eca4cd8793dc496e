"""Events as JSON lines on stderr: what happened, with numbers, never with names or identifiers."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from typing_extensions import override

# What every record has; the rest came by `extra` and belongs to the event.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


class JsonHandler(logging.StreamHandler[TextIO]):
    """Writes each record as one JSON object."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        return json.dumps(event, default=str)


def write_events() -> None:
    """Sends the log of this package to stderr, and what libraries say about data nowhere."""
    logging.captureWarnings(capture=True)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    logger = logging.getLogger("dicom_listener")
    logger.addHandler(JsonHandler(sys.stderr))
    logger.setLevel(logging.INFO)
    logger.propagate = False
