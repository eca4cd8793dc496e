"""`radgen config`: is the configuration file right?"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import typer

from radgen.cli.options import AsJson, Config
from radgen.cli.site import open_site
from radgen.domain.errors import ConfigurationError

app = typer.Typer(help="The configuration file.", no_args_is_help=True)


@app.callback()
def _config() -> None:
    """The configuration file."""


@app.command(epilog="Example: radgen config check -c radgen.toml")
def check(config: Config = None, as_json: AsJson = False) -> None:
    """Reads every section; unknown sections and keys are errors that name them."""
    from radgen.cli.sections import SECTION_TYPES

    site = open_site(config)
    for name, type_ in SECTION_TYPES.items():
        site.section(name, type_)
    _check_listener(site.file)
    if as_json:
        print(json.dumps({"file": str(site.file or ""), "ok": True}))
    else:
        print(f"{site.file or 'defaults (no file)'}: all sections are valid")


def _check_listener(file: Path | None) -> None:
    """The listener's own command checks its section: it is a package above this one."""
    command = shutil.which("dicom-listener", path=str(Path(sys.executable).parent))
    if file is None or command is None:
        return
    run = subprocess.run(
        [command, "--config", str(file), "--check"], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise ConfigurationError(run.stderr.strip() or "the [listener] section is not valid")
