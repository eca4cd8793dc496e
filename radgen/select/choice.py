"""What one way of reading a study would take, or why it would take nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from radgen.domain.study import InstanceHeader


@dataclass(frozen=True, slots=True)
class Choice:
    """Instances for one pack, or a refusal.

    refusal, cautions: ids of rows in `radgen/knowledge/reasons.toml`.
    left_out: (series UID, reason id) of what is not read.
    """

    pack_name: str
    instances: tuple[InstanceHeader, ...] = ()
    refusal: str | None = None
    details: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    cautions: tuple[str, ...] = ()


def in_order(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Each (series UID, reason id) once, in a fixed order."""
    return tuple(sorted(set(pairs)))
