"""Two processes write at once, and one of them is killed again and again."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger

WRITER = Path(__file__).with_name("writer.py")
LINES = 500
LATEST_S = 120


def start(url: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(WRITER), url, str(LINES)])


def position(ledger: Ledger) -> int:
    return int(ledger.journal_position() or 0)


@pytest.mark.kill
def test_a_killed_writer_loses_nothing_and_repeats_nothing(ledger, url):
    steady, victim = start(url), start(url)
    kills, killed_at = 0, 0
    end = time.monotonic() + LATEST_S
    while time.monotonic() < end and position(ledger) < LINES:
        # Only a process that has written since the last kill is worth killing.
        if kills < 5 and position(ledger) > killed_at + 4:
            time.sleep(random.uniform(0, 0.05))
            victim.kill()
            victim.wait()
            kills, killed_at = kills + 1, position(ledger)
            victim = start(url)
        time.sleep(0.01)
    assert steady.wait(LATEST_S) == 0
    assert victim.wait(LATEST_S) == 0
    assert kills >= 3
    assert position(ledger) == LINES
    rows = ledger.worklist(page_size=100)
    assert sum(row.study.instance_count for row in rows) == LINES
    for row in rows:
        detail = ledger.study_detail(row.study.study_uid)
        events = [event.event for event in detail.timeline]
        assert row.study.instance_count == len(detail.instances) == LINES // 10
        assert events == ["received", "complete", "drafting"]
        assert detail.study.state is VersionState.DRAFTING
        assert detail.versions[0].attempts == 1
