"""`radgen demo`: see it work."""

import sys
from pathlib import Path
from typing import Annotated

import typer

DATA = Path("../shared/data")
LOG_WIDTH = 200


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End by itself; exit 0 only if all is well.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run; emptied.")] = Path(
        "demo-out"
    ),
    data: Annotated[Path, typer.Option(help="Real studies; generated ones if absent.")] = DATA,
    port: Annotated[int, typer.Option(help="Port of the worklist page.")] = 8480,
    wait: Annotated[float, typer.Option(help="Longest wait for all drafts, seconds.")] = 420.0,
) -> None:
    """Carries real studies from a PACS through the engine and back, and shows every draft.

    Example: radgen demo --once
    """
    import logging
    import signal
    import time
    from functools import partial

    from rich.console import Console

    from radgen.cli.handout import write_files
    from radgen.cli.processes import ALL_ROLES, role_commands
    from radgen.demo.plan import plan_demo
    from radgen.demo.run import Demo, choose_studies

    logging.basicConfig(level=logging.ERROR)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Both end it in order, also where a shell started it in the background.
        signal.signal(number, signal.default_int_handler)
    console = Console(width=None if sys.stdout.isatty() else LOG_WIDTH)
    plan = plan_demo(out, port)
    roles = partial(role_commands, wanted=list(ALL_ROLES), logs=plan.logs)
    runner = Demo(plan, roles, write_files, console)
    with console.status("preparing studies"):
        studies = choose_studies(data)
    with runner.running() as archive:
        outcomes = runner.carry(archive, studies, wait)
        runner.show(outcomes)
        if not once:
            console.print("running until Ctrl-C")
            try:
                while True:
                    time.sleep(1)
            except KeyboardInterrupt:
                console.print("stopping")
    if once and not all(outcome.is_good for outcome in outcomes):
        raise typer.Exit(1)
