"""`radgen draft`: a folder of DICOM files in, drafts out, with no server at all."""

import json
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from radgen.cli.options import AsJson, Config
from radgen.cli.site import open_site
from radgen.domain.errors import UnsupportedStudyError

Source = Annotated[Path, typer.Argument(help="A DICOM file, or a folder of them.", exists=True)]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where drafts go; one folder a study.")]


def draft(
    source: Source, out: Out = Path("drafts"), config: Config = None, as_json: AsJson = False
) -> None:
    """Drafts every study under SOURCE: SRs, finding structure, HTML and a picture each.

    Example: radgen draft study/ -o out/
    """
    from rich.console import Console
    from rich.progress import track

    from radgen.cli.draft_parts import draft_studies, find_studies
    from radgen.cli.engine_parts import open_room
    from radgen.dicom.sr_settings import SrSettings

    logging.basicConfig(level=logging.ERROR)
    site = open_site(config)
    console = Console(stderr=True)
    studies, strangers = find_studies(source)
    if not studies:
        raise UnsupportedStudyError(f"no DICOM file under {source} ({strangers} other files)")
    settings = site.section("report", SrSettings)
    room = open_room(site)
    try:
        listed = track(studies, "drafting", console=console, transient=True)
        drafted, faults = draft_studies(listed, room, settings, out)
    finally:
        room.engine.close()
    if as_json:
        print(json.dumps([each.as_json() for each in drafted], ensure_ascii=False))
    for each in () if as_json else drafted:
        print(f"{each.folder}: {each.words}")
    if strangers:
        console.print(f"{strangers} files are not DICOM and were left out")
    if faults:
        print("\n".join(f"not drafted: {fault}" for fault in faults), file=sys.stderr)
        raise typer.Exit(1)
