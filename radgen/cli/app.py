"""The command `radgen` and its subcommands; each imports what it needs when it runs."""

import sys

import typer

from radgen.cli import demonstration, drafts, packs, peers, processes, site_commands, studies
from radgen.domain.errors import RadgenError

app = typer.Typer(
    name="radgen",
    help="Drafts radiology reports: a study arrives over DICOM, a preliminary SR goes back.",
    epilog="Example: radgen draft study/ -o out/    (no server needed)",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(peers.app, name="peers")
app.add_typer(packs.app, name="packs")
app.add_typer(site_commands.app, name="config")
app.command()(drafts.draft)
app.command()(studies.status)
app.command()(studies.retry)
app.command()(studies.reconcile)
app.command()(processes.serve)
app.command()(processes.worker)
app.command()(processes.review)
app.command()(processes.health)
app.command()(demonstration.demo)


def main() -> None:
    """Entry point: our own errors end in one line that names cause and fix, and exit code 1."""
    try:
        app()
    except RadgenError as error:
        print(f"radgen: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        # The base install is the listener's; everything else needs an extra.
        print(
            f"radgen: {error.name} is not installed; fix: pip install 'radgen[engine,cpu]'",
            file=sys.stderr,
        )
        sys.exit(1)
