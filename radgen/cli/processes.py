"""`radgen serve`, `worker`, `review`, `health`: the processes of a node."""

import json
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from radgen.cli.options import AsJson, Config
from radgen.cli.site import open_site
from radgen.domain.errors import ConfigurationError
from radgen.serve import Role

ALL_ROLES = ("listener", "worker", "review")


def serve(
    config: Config = None,
    roles: Annotated[str, typer.Option(help="Which processes, comma-separated.")] = ",".join(
        ALL_ROLES
    ),
) -> None:
    """Runs listener, worker and worklist page of one node and keeps them alive until Ctrl-C.

    Example: radgen serve -c radgen.toml --roles worker,review
    """
    from radgen.cli.logs import log_as_json
    from radgen.serve import Supervisor, run_until_signal

    log_as_json()
    wanted = [name.strip() for name in roles.split(",")]
    if not set(wanted) <= set(ALL_ROLES):
        raise ConfigurationError(f"--roles knows {', '.join(ALL_ROLES)}, not {roles!r}")
    run_until_signal(Supervisor(role_commands(open_site(config).file, wanted)))


def role_commands(file: Path | None, wanted: list[str], logs: Path | None = None) -> list[Role]:
    """The processes of a node as the command lines that also run alone.

    logs: folder of one log file for each; None leaves their output where ours goes.
    """
    config = ("--config", str(file)) if file else ()
    commands = {
        "listener": (installed("dicom-listener"), *config),
        "worker": (installed("radgen"), "worker", *config),
        "review": (installed("radgen"), "review", *config),
    }
    return [Role(n, commands[n], logs / f"{n}.log" if logs else None) for n in wanted]


def installed(command: str) -> str:
    """Path of one of our commands, beside the running Python first.

    Raises: ConfigurationError if it is not installed.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which(command, path=beside) or shutil.which(command)
    if found is None:
        raise ConfigurationError(f"{command} is not installed; fix: pip install radgen")
    return found


def worker(config: Config = None) -> None:
    """Runs the engine: takes arrivals in, drafts complete studies, returns the drafts.

    Example: radgen worker -c radgen.toml    (TRITON_URL names an outside server)
    """
    from radgen.cli.logs import log_as_json
    from radgen.cli.worker_parts import run_worker

    log_as_json()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(open_site(config), stop)


def review(config: Config = None) -> None:
    """Serves the worklist page.

    Example: radgen review -c radgen.toml
    """
    import uvicorn

    from radgen.cli.logs import log_as_json
    from radgen.ledger.ledger import Ledger
    from radgen.review.app import create_app
    from radgen.review.settings import ReviewSettings

    log_as_json()
    site = open_site(config)
    settings = site.section("review", ReviewSettings)
    ledger = Ledger(site.database.url)
    ledger.migrate()
    app = create_app(settings, ledger, site.store.folder)
    uvicorn.run(app, host=settings.bind, port=settings.port, log_level="warning", access_log=False)


def health(config: Config = None, as_json: AsJson = False) -> None:
    """Reads one image with the networks as [engine] says; exit code 1 if that fails.

    Example: radgen health --json
    """
    from radgen.cli.engine_parts import open_site_engine, read_test_image

    engine = open_site_engine(open_site(config))
    try:
        took_ms = read_test_image(engine)
    finally:
        engine.close()
    if as_json:
        print(json.dumps({"engine": engine.name, "ms": round(took_ms, 1)}))
    else:
        print(f"{engine.name} read one image in {took_ms:.0f} ms")
