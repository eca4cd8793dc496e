"""Reads for people: lists, counts, one study in full.

The list is ordered by `rank_at` (newest image first, a STAT study a day further up) and paged by
key, so that a page costs the same with a thousand studies and with a million.
"""

import sqlalchemy as sa

from radgen.domain.study import VersionState
from radgen.ledger import drafts, returns, timeline, versions
from radgen.ledger.rows import (
    ArrivalKind,
    DeadLetter,
    InstanceRow,
    PageKey,
    Priority,
    StudyDetail,
    StudyRow,
    VersionRow,
    WorklistFilter,
    WorklistRow,
)
from radgen.ledger.tables import instance, study, version, version_instance


def worklist(
    connection: sa.Connection, wanted: WorklistFilter, after: PageKey | None, page_size: int
) -> list[WorklistRow]:
    """One page of studies, each with its current version."""
    query = sa.select(study).order_by(study.c.rank_at.desc(), study.c.study_uid.desc())
    if wanted.modality is not None:
        query = query.where(study.c.modality == wanted.modality)
    if wanted.state is not None:
        query = query.where(study.c.state == wanted.state.value)
    if after is not None:
        place = sa.tuple_(study.c.rank_at, study.c.study_uid)
        limit = sa.tuple_(
            sa.literal(after.rank_at, study.c.rank_at.type), sa.literal(after.study_uid)
        )
        query = query.where(place < limit)
    page = query.limit(page_size).cte("page")
    found = connection.execute(
        sa.select(page, *(column.label(f"v_{column.name}") for column in version.c))
        .join_from(
            page,
            version,
            sa.and_(version.c.study_uid == page.c.study_uid, version.c.version == page.c.version),
        )
        .order_by(page.c.rank_at.desc(), page.c.study_uid.desc())
    )
    return [_worklist_row(row) for row in found.mappings()]


def _worklist_row(row: sa.RowMapping) -> WorklistRow:
    values = {column.name: row[f"v_{column.name}"] for column in version.c}
    values["state"] = VersionState(values["state"])
    return WorklistRow(_study_row(row), VersionRow(**values))


def _study_row(row: sa.RowMapping) -> StudyRow:
    values = {column.name: row[column.name] for column in study.c}
    values["state"] = VersionState(values["state"])
    values["priority"] = Priority(values["priority"])
    return StudyRow(**values)


def detail(connection: sa.Connection, study_uid: str) -> StudyDetail | None:
    """All that is known about one study, None for an unknown one."""
    row = (
        connection.execute(sa.select(study).where(study.c.study_uid == study_uid))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    found = connection.execute(
        sa.select(instance)
        .where(instance.c.study_uid == study_uid)
        .order_by(instance.c.received_at, instance.c.sop_uid, instance.c.kind, instance.c.path)
    )
    return StudyDetail(
        study=_study_row(row),
        versions=versions.of_study(connection, study_uid),
        drafts=drafts.of_study(connection, study_uid),
        instances=tuple(_instance_row(row) for row in found.mappings()),
        sent=returns.sent_of(connection, study_uid),
        commitments=returns.commitments_of(connection, study_uid),
        timeline=timeline.of_study(connection, study_uid),
    )


def version_instances(connection: sa.Connection, study_uid: str, number: int) -> list[InstanceRow]:
    """The images that were frozen when this version became complete, in order of arrival."""
    found = connection.execute(
        sa.select(instance)
        .join_from(
            version_instance,
            instance,
            sa.and_(
                instance.c.study_uid == version_instance.c.study_uid,
                instance.c.sop_uid == version_instance.c.sop_uid,
                instance.c.kind == ArrivalKind.STORED.value,
            ),
        )
        .where(version_instance.c.study_uid == study_uid, version_instance.c.version == number)
        .order_by(instance.c.received_at, instance.c.sop_uid)
    )
    return [_instance_row(row) for row in found.mappings()]


def _instance_row(row: sa.RowMapping) -> InstanceRow:
    return InstanceRow(**{**row, "kind": ArrivalKind(row["kind"])})


def image_count(connection: sa.Connection, study_uid: str) -> int:
    """How many images of a study are stored, 0 for an unknown one."""
    found = connection.execute(
        sa.select(study.c.instance_count).where(study.c.study_uid == study_uid)
    ).scalar_one_or_none()
    return found or 0


def stored_instance(connection: sa.Connection, study_uid: str, sop_uid: str) -> InstanceRow | None:
    """One stored instance of a study, None if the ledger does not know it."""
    row = (
        connection.execute(
            sa.select(instance).where(
                instance.c.study_uid == study_uid,
                instance.c.sop_uid == sop_uid,
                instance.c.kind == ArrivalKind.STORED.value,
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _instance_row(row)


def dead_letters(connection: sa.Connection, limit: int) -> list[DeadLetter]:
    """Failed versions that nothing newer replaced, newest first."""
    found = connection.execute(
        sa.select(version, study.c.modality, study.c.body_part)
        .join_from(
            study,
            version,
            sa.and_(version.c.study_uid == study.c.study_uid, version.c.version == study.c.version),
        )
        .where(study.c.state == VersionState.FAILED.value)
        .order_by(study.c.rank_at.desc())
        .limit(limit)
    )
    letters = []
    for row in found.mappings():
        values = {column.name: row[column.name] for column in version.c}
        values["state"] = VersionState(values["state"])
        letters.append(DeadLetter(VersionRow(**values), row["modality"], row["body_part"]))
    return letters


def counts_by_state(connection: sa.Connection) -> dict[VersionState, int]:
    """How many studies stand where, by their current version; every state is named."""
    found = connection.execute(sa.select(study.c.state, sa.func.count()).group_by(study.c.state))
    counts = dict.fromkeys(VersionState, 0)
    for state, count in found:
        counts[VersionState(state)] = count
    return counts


def modalities(connection: sa.Connection) -> list[str]:
    """Every modality in the list, found by hopping over the index from one to the next."""
    found: list[str] = []
    query = sa.select(sa.func.min(study.c.modality))
    modality = connection.execute(query).scalar_one()
    while modality is not None:
        found.append(modality)
        modality = connection.execute(query.where(study.c.modality > modality)).scalar_one()
    return found
