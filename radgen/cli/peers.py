"""`radgen peers`: is the archive there?"""

import json

import typer

from radgen.cli.options import AsJson, Config
from radgen.cli.site import open_site

app = typer.Typer(help="DICOM peers.", no_args_is_help=True)


@app.callback()
def _peers() -> None:
    """DICOM peers: the archive that drafts go back to."""


@app.command(epilog="Example: radgen peers echo --json")
def echo(config: Config = None, as_json: AsJson = False) -> None:
    """Asks the archive of [pacs] for a C-ECHO and says how long it took."""
    from radgen.pacs.echo import echo as ask
    from radgen.pacs.peer import Peer

    peer = open_site(config).section("pacs", Peer)
    took_ms = ask(peer)
    if as_json:
        print(json.dumps({"peer": peer.name, "aet": peer.aet, "ms": round(took_ms, 1)}))
    else:
        print(f"{peer.name} ({peer.aet}@{peer.host}:{peer.port}) answered in {took_ms:.1f} ms")
