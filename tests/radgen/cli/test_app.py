"""What every command has: help with an example, errors in one line."""

import subprocess
import sys

import pytest
import typer

from radgen.cli.app import app

COMMANDS = dict(typer.main.get_command(app).commands)


def leaves():
    for name, command in COMMANDS.items():
        for sub in getattr(command, "commands", {}):
            yield (name, sub)
        if not hasattr(command, "commands"):
            yield (name,)


@pytest.mark.parametrize("words", list(leaves()), ids=" ".join)
def test_the_help_of_a_command_shows_an_example_of_it(call, words):
    text = call(*words, "--help")
    assert text.exit_code == 0
    said = " ".join(text.output.split())
    assert f"Example: radgen {' '.join(words)}" in said


def test_the_help_names_every_command(call):
    text = call("--help").output
    assert all(name in text for name in COMMANDS)
    assert "Example: radgen draft" in text


@pytest.mark.parametrize(
    "words",
    [
        ("status", "-c", "/does/not/exist.toml"),
        ("config", "check", "-c", "/does/not/exist.toml"),
        ("serve", "--roles", "worker,listening"),
    ],
    ids=" ".join,
)
def test_an_error_is_one_line_and_exit_code_1(run, words):
    done = run(*words)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("radgen: ConfigurationError: ")


def test_a_wrong_call_says_how_to_call(run):
    done = run("retry")
    assert done.returncode == 2
    assert "name a study, or give --all" in done.stderr


def test_the_file_of_the_environment_is_taken(run, write_site):
    done = run("status", RADGEN_CONFIG=str(write_site(reviews={})))
    assert "unknown section [reviews]" in done.stderr
    done = run("status", RADGEN_CONFIG="/does/not/exist.toml")
    assert "no configuration file /does/not/exist.toml" in done.stderr


def test_a_command_without_its_extra_says_what_to_install():
    code = "import sys; sys.modules['onnxruntime'] = None; import radgen.cli.app as a; a.main()"
    run = subprocess.run(
        [sys.executable, "-c", code, "health"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1] == (
        "radgen: onnxruntime is not installed; fix: pip install 'radgen[engine,cpu]'"
    )
    assert "Traceback" not in run.stderr
