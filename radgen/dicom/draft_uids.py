"""UIDs that follow from content: the same draft has the same UIDs, whoever builds it and when."""

from enum import StrEnum
from uuid import UUID, uuid5

from radgen.domain.report import DraftReport, Language
from radgen.records import to_json

# Namespace of every UID below; changing it would make a second copy of every stored draft.
_NAMESPACE = UUID("6f0c3f0e-2a53-5c1b-9d8e-7b1f3a4c5d6e")


class DocumentKind(StrEnum):
    """What one draft is written as."""

    CHINESE = "sr-zh-CN"
    ENGLISH = "sr-en-US"
    MEASUREMENTS = "sr-measurements"
    PICTURE = "secondary-capture"


TEXT_KIND = {Language.ZH: DocumentKind.CHINESE, Language.EN: DocumentKind.ENGLISH}


def sop_instance_uid(report: DraftReport, kind: DocumentKind) -> str:
    """2.25 and a UUIDv5 (PS3.5 B.2) over the whole draft: changed content is another instance."""
    return _uid(f"instance {kind} {to_json(report)}")


def series_uid(study_uid: str, version: int, kind: DocumentKind) -> str:
    """The series of one document of a draft version: viewers show one SR of a series only."""
    return _uid(f"series {kind} {version} {study_uid}")


def tracking_uid(study_uid: str, name: str) -> str:
    """The same measured thing keeps its UID through all versions of a study's draft."""
    return _uid(f"tracking {name} {study_uid}")


def _uid(name: str) -> str:
    return f"2.25.{uuid5(_NAMESPACE, name).int}"
