"""Options that several subcommands share."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="radgen.toml; default: RADGEN_CONFIG, then ./radgen.toml"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
