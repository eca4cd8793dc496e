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
CMD = re.compile(r"(?:CMD|ENTRYPOINT) (\[.*\])")


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
    """Exec forms, joined where an ENTRYPOINT takes its CMD."""
    found = [json.loads(form) for form in CMD.findall(text)]
    entry = [words for words in found if words[0] in OURS and len(words) == 1]
    for words in found:
        whole = words if words[0] in OURS else [*entry[0], *words] if entry else words
        if Path(whole[0]).name in OURS and len(whole) > 1:
            yield shlex.join(whole)


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


def test_the_documents_name_commands():
    assert len(all_commands()) > 10


@pytest.mark.parametrize("command", all_commands())
def test_the_command_and_its_options_exist(command):
    words, options = split(command)
    if words == ("radgen",):
        assert shlex.split(command)[1].startswith("-"), f"no such subcommand: {command}"
    printed = help_of(words)
    assert not [option for option in options if option != "--help" and option not in printed]
