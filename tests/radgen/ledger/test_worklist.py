"""The list people read: its order, its pages, its filters, and what it costs."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from radgen.domain.study import VersionState as State
from radgen.ledger.rows import Priority, StudyFacts, WorklistFilter
from radgen.ledger.tables import study

STAT = StudyFacts(priority=Priority.STAT)


@pytest.fixture
def take(ledger, make_arrival, clock):
    """Takes one image of a new study in, `minutes` after noon."""

    def take(study_uid, minutes=0, **fields):
        at = clock.now + timedelta(minutes=minutes)
        ledger.take_in([make_arrival(study_uid=study_uid, received_at=at, **fields)], study_uid)

    return take


def uids(rows):
    return [row.study.study_uid for row in rows]


def test_the_newest_study_stands_first_and_stat_before_it(ledger, take):
    take("1.1", 0)
    take("1.2", 10)
    take("1.3", 5, facts=STAT)
    assert uids(ledger.worklist()) == ["1.3", "1.2", "1.1"]


def test_a_stat_study_sinks_after_a_day(ledger, take):
    take("1.1", 0, facts=STAT)
    take("1.2", 24 * 60 + 1)
    assert uids(ledger.worklist()) == ["1.2", "1.1"]


def test_pages_show_every_study_once_also_when_times_are_equal(ledger, take):
    for number in range(7):
        take(f"1.{number}", number // 3)
    seen, after = [], None
    while page := ledger.worklist(after=after, page_size=2):
        seen += uids(page)
        after = page[-1].key
    assert seen == ["1.6", "1.5", "1.4", "1.3", "1.2", "1.1", "1.0"]


def test_a_study_that_comes_between_two_pages_shifts_nothing(ledger, take):
    for number in range(4):
        take(f"1.{number}", number)
    first = ledger.worklist(page_size=2)
    take("1.9", 9)
    assert uids(ledger.worklist(after=first[-1].key, page_size=2)) == ["1.1", "1.0"]


def test_filters_narrow_the_list(ledger, take):
    take("1.1", 0)
    take("1.2", 1, modality="DX")
    take("1.3", 2, modality="DX")
    ledger.complete("1.3", 1, "quiet", 0)
    assert uids(ledger.worklist(WorklistFilter(modality="DX"))) == ["1.3", "1.2"]
    assert uids(ledger.worklist(WorklistFilter(state=State.RECEIVING))) == ["1.2", "1.1"]
    assert uids(ledger.worklist(WorklistFilter("DX", State.COMPLETE))) == ["1.3"]
    assert ledger.worklist(WorklistFilter("DX", State.FAILED)) == []


def test_a_row_shows_the_current_version(ledger, take, make_arrival):
    take("1.1", 0)
    ledger.complete("1.1", 1, "quiet", 0)
    ledger.take_in([make_arrival("9.9", study_uid="1.1")], "2")
    (row,) = ledger.worklist()
    assert (row.version.version, row.version.state) == (2, State.RECEIVING)
    assert row.study.version == 2


def test_counts_name_every_state(ledger, take):
    take("1.1")
    take("1.2")
    ledger.complete("1.2", 1, "quiet", 0)
    counts = ledger.counts_by_state()
    assert set(counts) == set(State)
    assert (counts[State.RECEIVING], counts[State.COMPLETE], counts[State.FAILED]) == (1, 1, 0)


def test_the_modalities_of_the_list_are_known(ledger, take):
    assert ledger.modalities() == []
    for number, modality in enumerate(["MR", "CT", "DX", "CT"]):
        take(f"1.{number}", modality=modality)
    assert ledger.modalities() == ["CT", "DX", "MR"]


def test_one_instance_is_found_in_its_own_study_only(ledger, take):
    take("1.1", sop_uid="7.7")
    assert ledger.stored_instance("1.1", "7.7").path == "1.1/7.7"
    assert ledger.stored_instance("1.2", "7.7") is None
    assert ledger.stored_instance("1.1", "7.8") is None


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "study_by_rank"),
        ({"state": "failed"}, "study_by_state"),
        ({"modality": "CT"}, "study_by_modality"),
        ({"modality": "CT", "state": "failed"}, "study_by_modality_state"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else value,
)
def test_every_order_of_the_list_comes_from_an_index(tmp_path, wanted, index):
    from radgen.ledger.ledger import Ledger

    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    ledger = Ledger(url)
    ledger.migrate()
    ledger.close()
    query = sa.select(study).order_by(study.c.rank_at.desc(), study.c.study_uid.desc()).limit(50)
    for name, value in wanted.items():
        query = query.where(study.c[name] == value)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    text = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all())
    engine.dispose()
    assert f"INDEX {index} " in plan.replace("'", " ").replace(")", " ")
    assert "TEMP B-TREE" not in plan


def test_the_drafts_of_a_page_come_together(ledger, make_report):
    first, second = make_report("first"), make_report("late image", version=2)
    ledger.record_draft(first, "in-process")
    ledger.record_draft(second, "in-process")
    assert ledger.drafts([("1.2", 2), ("9.9", 1)]) == {("1.2", 2): second}
    assert ledger.drafts([]) == {}
