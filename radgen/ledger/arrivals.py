"""Takes the listener's journal in: instances, the studies they make, and how far was read.

Everything of one call is one transaction, and taking the same lines in again changes nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

import sqlalchemy as sa

from radgen.domain.study import VersionState
from radgen.ledger import timeline
from radgen.ledger.database import insert_once
from radgen.ledger.rows import Arrival, ArrivalKind, AssociationEnd, Priority, StudyFacts
from radgen.ledger.tables import instance, journal, study, version
from radgen.ledger.text import plain

STAT_LEAD = timedelta(hours=24)
"""A STAT study stands in the worklist as if it had come this much later, then sinks like others."""

_WORD_LIMIT = 64
_FACT_LIMIT = 1024
_FACTS = (
    "patient_name",
    "patient_id",
    "patient_birth_date",
    "patient_sex",
    "accession",
    "study_date",
    "body_part",
)


def journal_position(connection: sa.Connection) -> str | None:
    """How far the journal was taken in; None before the first time."""
    position: str | None = connection.execute(sa.select(journal.c.position)).scalar_one()
    return position


def take_in(
    connection: sa.Connection,
    arrivals: Sequence[Arrival],
    ends: Sequence[AssociationEnd],
    position: str,
) -> set[str]:
    """Records arrivals and association ends; returns the studies that got a new image."""
    # One taker at a time, also where several nodes share a PostgreSQL.
    connection.execute(sa.select(journal.c.id).with_for_update())
    by_study: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in _record_instances(connection, arrivals):
        by_study[arrival.study_uid].append(arrival)
    touched = set()
    for study_uid in sorted(by_study):
        news = by_study[study_uid]
        images = [a for a in news if a.kind is ArrivalKind.STORED and a.is_image]
        if images:
            _add_images(connection, study_uid, images)
            touched.add(study_uid)
        conflicts = [a for a in news if a.kind is ArrivalKind.CONFLICT]
        if conflicts:
            _add_conflicts(connection, study_uid, conflicts)
    for end in sorted(ends, key=lambda end: end.study_uid):
        _end_association(connection, end)
    connection.execute(sa.update(journal).values(position=position))
    return touched


def _record_instances(connection: sa.Connection, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Writes the rows that are not there yet and returns their arrivals."""
    by_key = {(a.study_uid, a.sop_uid, a.kind.value, a.path): a for a in reversed(arrivals)}
    if not by_key:
        return []
    keys = (instance.c.study_uid, instance.c.sop_uid, instance.c.kind, instance.c.path)
    written = connection.execute(
        insert_once(connection, instance).returning(*keys),
        [_instance_values(arrival) for arrival in reversed(by_key.values())],
    )
    return [by_key[row.study_uid, row.sop_uid, row.kind, row.path] for row in written]


def _instance_values(arrival: Arrival) -> dict[str, object]:
    return {
        "study_uid": arrival.study_uid,
        "sop_uid": arrival.sop_uid,
        "kind": arrival.kind.value,
        "path": arrival.path,
        "series_uid": arrival.series_uid,
        "sop_class_uid": arrival.sop_class_uid,
        "transfer_syntax_uid": arrival.transfer_syntax_uid,
        "modality": plain(arrival.modality, _WORD_LIMIT),
        "received_at": arrival.received_at,
        "calling_ae": plain(arrival.calling_ae, _WORD_LIMIT),
        "size": arrival.size,
        "is_image": arrival.is_image,
    }


def _add_images(connection: sa.Connection, study_uid: str, images: Sequence[Arrival]) -> None:
    """Makes the study or adds to it; a late image opens the next version."""
    images = sorted(images, key=lambda image: image.received_at)
    first_at, last_at = images[0].received_at, images[-1].received_at
    found = connection.execute(
        sa.select(study).where(study.c.study_uid == study_uid).with_for_update()
    ).one_or_none()
    if found is None:
        _make_study(connection, images)
        open_version(connection, study_uid, 1, first_at)
        found = connection.execute(sa.select(study).where(study.c.study_uid == study_uid)).one()
    number = found.version
    if found.state != VersionState.RECEIVING:
        number += 1
        open_version(connection, study_uid, number, first_at)
    facts = _merge_facts(found, images)
    last_at = max(last_at, found.last_at)
    connection.execute(
        sa.update(study)
        .where(study.c.study_uid == study_uid)
        .values(
            version=number,
            state=VersionState.RECEIVING.value,
            first_at=min(first_at, found.first_at),
            last_at=last_at,
            rank_at=_rank(last_at, facts["priority"]),
            instance_count=study.c.instance_count + len(images),
            calling_ae=plain(images[-1].calling_ae, _WORD_LIMIT),
            **facts,
        )
    )


def _make_study(connection: sa.Connection, images: Sequence[Arrival]) -> None:
    blank = asdict(StudyFacts()) | {"priority": Priority.ROUTINE.value}
    connection.execute(
        sa.insert(study).values(
            study_uid=images[0].study_uid,
            version=1,
            state=VersionState.RECEIVING.value,
            rank_at=images[0].received_at,
            first_at=images[0].received_at,
            last_at=images[-1].received_at,
            modality=plain(images[0].modality, _WORD_LIMIT),
            instance_count=0,
            conflict_count=0,
            calling_ae="",
            **blank,
        )
    )


def _merge_facts(found: sa.Row[tuple[object, ...]], images: Sequence[Arrival]) -> dict[str, str]:
    """The first value that is not empty stays; STAT wins."""
    known = found._mapping  # noqa: SLF001  # SQLAlchemy's documented name for a row as a mapping
    merged = {}
    for name in _FACTS:
        candidates = [str(known[name]), *(str(getattr(image.facts, name)) for image in images)]
        limit = _WORD_LIMIT if name in {"study_date", "body_part"} else _FACT_LIMIT
        merged[name] = plain(next((c for c in candidates if c), ""), limit)
    stat = known["priority"] == Priority.STAT or any(
        image.facts.priority is Priority.STAT for image in images
    )
    merged["priority"] = (Priority.STAT if stat else Priority.ROUTINE).value
    return merged


def _rank(last_at: datetime, priority: str) -> datetime:
    return last_at + STAT_LEAD if priority == Priority.STAT else last_at


def _add_conflicts(connection: sa.Connection, study_uid: str, news: Sequence[Arrival]) -> None:
    """Counts instances whose UID was known with another content; they are shown, never read."""
    number = connection.execute(
        sa.update(study)
        .where(study.c.study_uid == study_uid)
        .values(conflict_count=study.c.conflict_count + len(news))
        .returning(study.c.version)
    ).scalar_one_or_none()
    at = max(arrival.received_at for arrival in news)
    timeline.append(connection, at, (study_uid, number or 0), "conflict", {"instances": len(news)})


def _end_association(connection: sa.Connection, end: AssociationEnd) -> None:
    later = sa.or_(study.c.association_ended_at.is_(None), study.c.association_ended_at < end.at)
    connection.execute(
        sa.update(study)
        .where(study.c.study_uid == end.study_uid, later)
        .values(association_ended_at=end.at)
    )


def open_version(connection: sa.Connection, study_uid: str, number: int, at: datetime) -> None:
    """Adds a version that receives; the caller points the study to it."""
    connection.execute(
        sa.insert(version).values(
            study_uid=study_uid,
            version=number,
            state=VersionState.RECEIVING.value,
            opened_at=at,
            attempts=0,
        )
    )
    event = "received" if number == 1 else "reopened by a late image"
    timeline.append(connection, at, (study_uid, number), event, {})


def set_expected(
    connection: sa.Connection, study_uid: str, count: int | None, at: datetime
) -> bool:
    """Notes how many instances the archive (or order) says there are; False if not known."""
    return (
        connection.execute(
            sa.update(study)
            .where(study.c.study_uid == study_uid)
            .values(expected_count=count, expected_at=at)
        ).rowcount
        == 1
    )
