"""A process of test_processes: takes line after line in, then completes and moves every study."""

import sys
from datetime import UTC, datetime, timedelta

from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Arrival, ArrivalKind

START = datetime(2026, 1, 1, tzinfo=UTC)


def line(number: int) -> Arrival:
    """Line `number` of a journal that every process reads alike: 10 studies in turn."""
    study_uid = f"1.{number % 10}"
    sop_uid = f"{study_uid}.{number}"
    at = START + timedelta(seconds=number)
    return Arrival(
        sop_uid, study_uid, study_uid, "1", "1", "CT", sop_uid, ArrivalKind.STORED, at, "A", 1
    )


def main(url: str, lines: int) -> None:
    ledger = Ledger(url)
    # Both processes read on from where either of them came to, and so often take a line twice.
    while (position := int(ledger.journal_position() or 0)) < lines:
        ledger.take_in(
            [line(number) for number in range(position, position + 2)], str(position + 2)
        )
    for study in ledger.receiving_studies():
        ledger.complete(study.study_uid, study.version, "quiet", 0)
    for row in ledger.versions_in([VersionState.COMPLETE]):
        ledger.move(row.study_uid, row.version, [VersionState.COMPLETE], VersionState.DRAFTING)
    ledger.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
