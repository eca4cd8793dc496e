"""One JSON object a line on standard error; its fields never hold a name or report text."""

import json
import logging
import sys
import warnings
from datetime import UTC, datetime

from typing_extensions import override

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Time, level, logger, event and the extra fields of a record."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """One line. An exception is named by its kind: its text may quote a header."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _PLAIN}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False, default=str)


def log_as_json(level: int = logging.INFO) -> None:
    """Sends our own log to standard error; libraries only from WARNING on.

    pydicom's warnings quote the value they warn of, which may be a birth date: they are left out,
    as log line and as Python warning.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    # On the handler: pydicom sets the level of its logger anew whenever it is imported.
    handler.addFilter(_quotes_no_header)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for ours in ("radgen", "models"):
        logging.getLogger(ours).setLevel(level)
    warnings.simplefilter("ignore")


def _quotes_no_header(record: logging.LogRecord) -> bool:
    """False for what pydicom says of a value."""
    return record.levelno >= logging.ERROR or not record.name.startswith("pydicom")
