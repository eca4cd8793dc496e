"""Command `dicom-listener`: wiring of settings, listener, signals and exit codes."""

import json
import logging
import signal
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from dicom_listener.event_log import write_events
from dicom_listener.health import is_healthy
from dicom_listener.server import Listener
from dicom_listener.settings import ListenerSettings, check_settings
from radgen.config import load_section
from radgen.domain.errors import ConfigurationError, StoreError
from radgen.study_store.commit import Durability

log = logging.getLogger("dicom_listener")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_EXAMPLES = """\
Receives DICOM images into a store: C-ECHO, C-STORE, answers to storage commitment.

Examples:

  dicom-listener --bind 127.0.0.1 --port 11112 --aet RADGEN --store ./store

  dicom-listener --config radgen.toml

  dicom-listener --config radgen.toml --check

  dicom-listener health --port 11112 --aet RADGEN

The configuration is section [listener]; options given here override it, and so do variables
such as RADGEN_LISTENER__PORT. When the port is bound, one line of JSON on stdout says so; events
are lines of JSON on stderr. SIGTERM lets messages in flight end.
"""

Config = Annotated[Path | None, typer.Option(help="TOML file; its section [listener] is read.")]
Bind = Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="TCP port, 0 for any free one.  [default: 11112]")]
Aet = Annotated[str | None, typer.Option(help="Our AE title.  [default: RADGEN]")]
Store = Annotated[Path | None, typer.Option(help="Folder to receive into.  [default: ./store]")]
Sync = Annotated[Durability | None, typer.Option("--durability", help="When bytes are flushed.")]
AnyPeer = Annotated[
    bool | None,
    typer.Option("--accept-any-peer", help="Let every AE title and address in.", is_flag=True),
]
Check = Annotated[bool, typer.Option("--check", help="Check the configuration and exit.")]


@app.callback(invoke_without_command=True, help=_EXAMPLES)
def listen(  # noqa: PLR0913  one parameter an option: typer builds the command line from them
    ctx: typer.Context,
    *,
    config: Config = None,
    bind: Bind = None,
    port: Port = None,
    aet: Aet = None,
    store: Store = None,
    durability: Sync = None,
    accept_any_peer: AnyPeer = None,
    check: Check = False,
) -> None:
    """Listens until SIGTERM or SIGINT."""
    if ctx.invoked_subcommand is not None:
        return
    given: dict[str, object] = {
        "bind": bind,
        "port": port,
        "aet": aet,
        "store": store,
        "durability": durability,
        "accept_any_peer": accept_any_peer,
    }
    try:
        settings = _settings(config, given)
        if check:
            typer.echo("configuration is good")
            return
        _run(settings)
    except (ConfigurationError, StoreError) as error:
        typer.echo(f"dicom-listener: {error}", err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"dicom-listener: cannot listen: {error.strerror}", err=True)
        raise typer.Exit(1) from error


@app.command()
def health(
    host: Annotated[str, typer.Option(help="Address of the listener.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the listener.")] = 11112,
    aet: Annotated[str, typer.Option(help="AE title of the listener.")] = "RADGEN",
) -> None:
    """Exits 0 if the listener answers a C-ECHO, 1 if not."""
    if not is_healthy(host, port, aet):
        typer.echo("no answer", err=True)
        raise typer.Exit(1)
    typer.echo("healthy")


def _settings(config: Path | None, given: dict[str, object]) -> ListenerSettings:
    settings = load_section(config, "listener", ListenerSettings)
    overrides = {name: value for name, value in given.items() if value is not None}
    settings = replace(settings, **overrides)  # type: ignore[arg-type]  # typed by the options
    check_settings(settings)
    return settings


def _run(settings: ListenerSettings) -> None:
    write_events()
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    listener = Listener(settings)
    listener.start()
    log.info("listening", extra={"port": listener.port, "leftovers_removed": listener.leftovers})
    ready = {"event": "ready", "bind": settings.bind, "port": listener.port, "aet": settings.aet}
    typer.echo(json.dumps(ready))
    ended.wait()
    listener.stop()
    log.info("stopped")


def main() -> None:
    """Entry point of the command."""
    app()


if __name__ == "__main__":
    main()
