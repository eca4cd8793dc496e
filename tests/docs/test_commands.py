"""Every command that documents and Dockerfiles name exists, and takes the options they give it."""

import functools
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SOURCES = [
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "CONTRIBUTING.md",
    ROOT / "README.md",
    *(ROOT / "docker").glob("*.Dockerfile"),
    ROOT / "docker" / "radgen.toml",
]
OURS = ("radgen", "dicom-listener")
# In prose a command stands in backticks, in a block it begins its line; either may be `.venv/bin/`.
INLINE = re.compile(r"`((?:\.venv/bin/|/opt/radgen/bin/)?(?:radgen|dicom-listener) [^`\n]+)`")
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
ENTRYPOINT = re.compile(r"^ENTRYPOINT (\[.*\])", re.MULTILINE)
CMD = re.compile(r"^CMD (\[.*\])", re.MULTILINE)
HEALTH = re.compile(r"^ +CMD (\[.*\])", re.MULTILINE)


def in_document(text):
    for command in INLINE.findall(text):
        yield command
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.split(" #")[0].split(" | ")[0].split(" && ")[0].strip()
            command = re.sub(r"^(sudo (-u \w+ )?)?(\w+=\S+ )*", "", command)
            if Path(command.split(" ")[0]).name in OURS:
                yield command


def in_dockerfile(text):
    """What a container runs, ENTRYPOINT and CMD joined, and its health check."""
    entry, command, health = (
        [word for form in found.findall(text) for word in json.loads(form)]
        for found in (ENTRYPOINT, CMD, HEALTH)
    )
    for words in ([*entry, *command], health):
        if words and words[0] in OURS:
            yield shlex.join(words)


def all_commands():
    found = set()
    for path in SOURCES:
        text = path.read_text("utf-8")
        named = in_dockerfile(text) if path.suffix == ".Dockerfile" else in_document(text)
        found |= {command.removeprefix(".venv/bin/") for command in named}
    return sorted(found)


@functools.cache
def help_of(words):
    """What `words --help` prints."""
    run = subprocess.run(
        [str(BIN / words[0]), *words[1:], "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(BIN), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        timeout=60,
    )
    assert run.returncode == 0, f"{words}: {run.stderr}"
    return run.stdout


def split(command):
    """Program with its subcommands, and the options behind it; values and arguments are dropped."""
    program, *rest = shlex.split(command.replace("...", ""))
    words = [Path(program).name]
    for word in rest:
        if not re.fullmatch(r"[a-z][a-z-]*", word) or word not in help_of(tuple(words)):
            break
        words.append(word)
    return tuple(words), [word.split("=")[0] for word in rest if word.startswith("-")]


def test_the_documents_and_containers_name_commands():
    found = all_commands()
    assert len(found) > 10
    assert "dicom-listener health --port 11112 --aet RADGEN" in found
    assert "radgen worker --config /etc/radgen/radgen.toml" in found


@pytest.mark.parametrize("wrong", ["radgen sign --config x", "radgen status --verbose"])
def test_a_command_that_does_not_exist_is_noticed(wrong):
    with pytest.raises(AssertionError):
        test_the_command_and_its_options_exist(wrong)


@pytest.mark.parametrize("command", all_commands())
def test_the_command_and_its_options_exist(command):
    words, options = split(command)
    if words == ("radgen",):
        assert shlex.split(command)[1].startswith("-"), f"no such subcommand: {command}"
    printed = help_of(words)
    assert not [option for option in options if option != "--help" and option not in printed]
