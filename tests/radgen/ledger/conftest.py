"""A ledger on each database, and arrivals to put into it."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from radgen.domain.finding import Finding, FindingStructure, PackIdentity, Presence, Source
from radgen.domain.report import (
    DraftReport,
    Language,
    ReportText,
    Section,
    SectionText,
    Sentence,
)
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Arrival, ArrivalKind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    return request.getfixturevalue("new_database")()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(url: str, clock: Clock) -> Iterator[Ledger]:
    """A ledger with its schema, closed at the end."""
    book = Ledger(url, clock)
    book.migrate()
    yield book
    book.close()


@pytest.fixture
def engine(url: str, ledger: Ledger) -> Iterator[sa.Engine]:  # noqa: ARG001  # for its schema
    """A way past the ledger, straight into its database."""
    engine = sa.create_engine(
        url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool
    )
    yield engine
    engine.dispose()


@pytest.fixture
def make_arrival() -> Callable[..., Arrival]:
    """Makes a stored CT image of study 1.2; every field can be another."""

    def make(sop_uid: str = "1.2.1.1", **fields) -> Arrival:
        study_uid = fields.get("study_uid", "1.2")
        arrival = Arrival(
            sop_uid=sop_uid,
            study_uid=study_uid,
            series_uid=f"{study_uid}.1",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            modality="CT",
            path=f"{study_uid}/{sop_uid}",
            kind=ArrivalKind.STORED,
            received_at=NOON,
            calling_ae="CT1",
            size=1000,
        )
        return dataclasses.replace(arrival, **fields)

    return make


@pytest.fixture
def make_report() -> Callable[..., DraftReport]:
    """Makes a small draft of study 1.2."""

    def make(text: str = "右侧胸腔积液。", version: int = 1) -> DraftReport:
        finding = Finding("pleural-effusion", Presence.PRESENT, Source.CLASSIFIER, probability=0.9)
        return DraftReport(
            study_uid="1.2",
            version=version,
            drafted_at=NOON,
            structure=FindingStructure(
                "DX", "CHEST", PackIdentity("cxr", "1", "0" * 64), findings=(finding,)
            ),
            texts=(
                ReportText(Language.ZH, (SectionText(Section.FINDINGS, (Sentence(text, (0,)),)),)),
            ),
        )

    return make
