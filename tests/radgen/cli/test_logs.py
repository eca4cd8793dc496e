"""One JSON object a line, and never the text of an exception."""

import json
import logging

import pytest

from radgen.cli.logs import JsonLines, log_as_json


@pytest.fixture
def written():
    """Formats one record of the logger `radgen.test`."""

    def write(level, message, *, error=None, **extra):
        info = (type(error), error, None) if error else None
        record = logging.LogRecord("radgen.test", level, __file__, 1, message, None, info)
        record.__dict__.update(extra)
        return JsonLines().format(record)

    return write


def test_a_record_is_one_object_on_one_line(written):
    line = written(logging.WARNING, "stored\nwith a warning", peer="pacs", status=7)
    assert "\n" not in line
    found = json.loads(line)
    assert found.pop("at").endswith("+00:00")
    assert found == {
        "level": "warning",
        "from": "radgen.test",
        "event": "stored\nwith a warning",
        "peer": "pacs",
        "status": 7,
    }


def test_an_exception_is_named_by_its_kind_alone(written):
    cause = ValueError("Zhang^San")
    error = KeyError("19700101")
    error.__cause__ = cause
    line = written(logging.ERROR, "failed", error=error)
    assert json.loads(line)["error"] == "KeyError"
    assert "Zhang" not in line
    assert "1970" not in line


def test_fields_that_are_no_json_are_written_as_text(written, tmp_path):
    assert json.loads(written(logging.INFO, "x", folder=tmp_path))["folder"] == str(tmp_path)
    assert json.loads(written(logging.INFO, "x", error=None))["event"] == "x"


def test_our_events_are_written_and_those_of_libraries_only_from_warning_on(capsys):
    before = logging.root.handlers[:], logging.root.level
    try:
        log_as_json()
        logging.getLogger("radgen.worker").info("ours")
        logging.getLogger("library").info("chatter")
        logging.getLogger("library").warning("trouble")
        try:
            int("Zhang^San")
        except ValueError:
            logging.getLogger("library").exception("broken")
    finally:
        logging.root.handlers, logging.root.level = before
        for name in ("radgen", "models"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["ours", "trouble", "broken"]
    assert lines[-1]["error"] == "ValueError"
    assert "Zhang" not in json.dumps(lines)
