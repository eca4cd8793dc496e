"""`radgen status`, `retry`, `reconcile`: the studies of this site."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer

from radgen.cli.options import AsJson, Config
from radgen.cli.site import open_site

Study = Annotated[str | None, typer.Argument(help="Study Instance UID; default: every one.")]


def status(config: Config = None, as_json: AsJson = False) -> None:
    """How many studies stand where, what failed, what was quarantined.

    Example: radgen status --json
    """
    from radgen.cli.ledger_parts import open_ledger

    with open_ledger(open_site(config)) as ledger:
        counts = {state.value: count for state, count in ledger.counts_by_state().items()}
        failed = [asdict(letter.version) for letter in ledger.dead_letters()]
        quarantined = [asdict(row) for row in ledger.list_quarantine()]
    if as_json:
        found = {"studies": counts, "failed": failed, "quarantine": quarantined}
        print(json.dumps(found, default=str, ensure_ascii=False))
        return
    for state, count in counts.items():
        print(f"{state:12} {count}")
    for row in failed:
        print(f"failed: {row['study_uid']} version {row['version']}: {row['failure']}")
    for row in quarantined:
        print(f"quarantine: {row['path']}: {row['reason']}")


def retry(
    study: Study = None,
    config: Config = None,
    as_json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Every failed version.")] = False,
) -> None:
    """Gives failed versions another try; what was drafted already is sent, never drafted anew.

    Example: radgen retry 1.2.840.1234  or  radgen retry --all
    """
    from radgen.cli.ledger_parts import open_ledger
    from radgen.domain.study import VersionState

    if not study and not everything:
        raise typer.BadParameter("name a study, or give --all")
    tried = []
    with open_ledger(open_site(config)) as ledger:
        for letter in ledger.dead_letters(limit=100_000):
            key = (letter.version.study_uid, letter.version.version)
            if study in {None, key[0]} and ledger.move(
                *key, (VersionState.FAILED,), VersionState.COMPLETE
            ):
                tried.append({"study": key[0], "version": key[1]})
    if as_json:
        print(json.dumps(tried))
    else:
        print(f"{len(tried)} version(s) will be tried again")


def reconcile(
    config: Config = None,
    as_json: AsJson = False,
    days: Annotated[int, typer.Option(help="How far back to look.", min=0, max=366)] = 2,
    fetch: Annotated[bool, typer.Option(help="Ask the archive to send what is missing.")] = False,
) -> None:
    """What the archive has that we do not: studies it never sent, and images that are missing.

    Example: radgen reconcile --days 3 --fetch
    """
    from radgen.cli.ledger_parts import open_ledger
    from radgen.pacs.peer import Peer
    from radgen.pipeline.archive import fetch_gaps, find_gaps

    site = open_site(config)
    peer = site.section("pacs", Peer)
    last = datetime.now().astimezone().date()
    with open_ledger(site) as ledger:
        gaps = find_gaps(ledger, peer, last - timedelta(days=days), last)
    if fetch:
        fetch_gaps(peer, gaps)
    if as_json:
        print(json.dumps([asdict(gap) for gap in gaps]))
        return
    for gap in gaps:
        print(f"{gap.study_uid}: archive has {gap.archive} images, we have {gap.received}")
    asked = " and were asked for" if fetch and gaps else ""
    print(f"{len(gaps)} stud{'y is' if len(gaps) == 1 else 'ies are'} incomplete here{asked}")
