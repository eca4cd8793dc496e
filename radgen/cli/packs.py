"""`radgen packs`: which models are installed, and are they what they say?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from radgen.cli.options import AsJson
from radgen.domain.errors import PackError

app = typer.Typer(help="Model packs.", no_args_is_help=True)
Folder = Annotated[Path | None, typer.Option("--folder", help="Folder of packs; default: ours.")]


@app.command("list", epilog="Example: radgen packs list --json")
def list_(folder: Folder = None, as_json: AsJson = False) -> None:
    """Name, version, intended use and digest of every pack."""
    from models.pack import PACKS, PackFaultError, list_packs, load_pack

    try:
        packs = [load_pack(path) for path in list_packs(folder or PACKS)]
    except PackFaultError as error:
        raise PackError(str(error)) from error
    if as_json:
        print(json.dumps([_as_json(pack) for pack in packs], ensure_ascii=False))
        return
    for pack in packs:
        print(f"{pack.name} {pack.version}  {pack.digest[:12]}  {pack.intended_use}")


@app.command(epilog="Example: radgen packs verify")
def verify(folder: Folder = None, as_json: AsJson = False) -> None:
    """Checks every file of every pack against its SHA-256; exit code 1 if one differs."""
    from models.pack import PACKS, PackFaultError, list_packs, load_pack

    faults = {}
    for path in list_packs(folder or PACKS):
        try:
            load_pack(path)
            faults[path.name] = ""
        except PackFaultError as error:
            faults[path.name] = str(error)
    if as_json:
        print(json.dumps(faults, ensure_ascii=False))
    else:
        for name, fault in faults.items():
            print(f"{name}: {fault or 'verified'}")
    if any(faults.values()) or not faults:
        raise typer.Exit(1)


def _as_json(pack: object) -> dict[str, object]:
    fields = ("name", "version", "digest", "intended_use", "licence")
    return {name: getattr(pack, name) for name in fields}
