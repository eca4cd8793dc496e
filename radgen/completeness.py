"""When has a study stopped arriving?

Modalities never say "that was the last image". An archive that can be asked knows the count; where
it cannot, silence is the sign. The clock is an argument: nothing here reads the time, the disk or a
setting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

QUIET_BY_MODALITY_S = {"DX": 60.0, "CR": 60.0, "CT": 180.0, "MR": 600.0}


@dataclass(frozen=True, slots=True)
class CompletenessPolicy:
    """How long to wait, in seconds.

    quiet_s: silence that ends a study of a modality that `quiet_by_modality_s` does not name.
    released_s: silence that is enough once the sender has released its association; it only
        shortens.
    longest_wait_s: from the first image of a version; then the study is PARTIAL and says what is
        missing.
    settle_s: silence before a count that agrees is believed: an archive that forwards image by
        image has as few as we while the modality still sends.
    ask_archive_s: how often an incomplete study asks the archive for its count.
    """

    quiet_s: float = 120.0
    quiet_by_modality_s: Mapping[str, float] = field(
        default_factory=lambda: dict(QUIET_BY_MODALITY_S)
    )
    released_s: float = 30.0
    longest_wait_s: float = 3600.0
    settle_s: float = 1.0
    ask_archive_s: float = 5.0

    def quiet(self, modality: str, *, released: bool) -> timedelta:
        """Silence that ends a study of `modality`."""
        seconds = self.quiet_by_modality_s.get(modality, self.quiet_s)
        return timedelta(seconds=min(seconds, self.released_s) if released else seconds)


@dataclass(frozen=True, slots=True)
class Arriving:
    """What is known of a study that is still arriving. All times carry a zone.

    received: images held. expected: images the archive says it has, None when it was not or could
        not be asked.
    released_at: when the last association that sent images of it ended in order, None while one is
        open.
    """

    modality: str
    first_at: datetime
    last_at: datetime
    received: int
    expected: int | None = None
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not complete; look again at `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Complete:
    """Ready to draft. missing: images the archive has and we lack, None when nobody could say."""

    reason: str
    missing: int | None


def decide(study: Arriving, now: datetime, policy: CompletenessPolicy) -> Waiting | Complete:
    """Is the study complete at `now`, and why.

    A count that agrees ends the wait once arrivals have settled. Silence ends it only where no
    count contradicts it. The longest wait ends it in any case.
    """
    if study.expected is not None and 0 < study.expected <= study.received:
        return _agreed(study, now, policy)
    quiet_at = study.last_at + policy.quiet(study.modality, released=_released(study))
    give_up_at = study.first_at + timedelta(seconds=policy.longest_wait_s)
    if now >= give_up_at:
        return _given_up(study, policy)
    if study.expected is not None and study.expected > study.received:
        missing = study.expected - study.received
        return Waiting(give_up_at, f"{missing} of {study.expected} images missing")
    if now >= quiet_at:
        return _quiet(study, now)
    return Waiting(min(quiet_at, give_up_at), f"{study.received} images, waiting for silence")


def _agreed(study: Arriving, now: datetime, policy: CompletenessPolicy) -> Waiting | Complete:
    counts = f"{study.received} of {study.expected} images"
    settled_at = study.last_at + timedelta(seconds=policy.settle_s)
    if now < settled_at:
        return Waiting(settled_at, f"count agrees: {counts}, letting arrivals settle")
    return Complete(f"count agrees: {counts}", 0)


def _released(study: Arriving) -> bool:
    return study.released_at is not None and study.released_at >= study.last_at


def _quiet(study: Arriving, now: datetime) -> Complete:
    silence = (now - study.last_at).total_seconds()
    after = " after the sender released" if _released(study) else ""
    return Complete(f"quiet for {silence:.0f} s{after}; the archive gave no count", None)


def _given_up(study: Arriving, policy: CompletenessPolicy) -> Complete:
    reason = f"longest wait of {policy.longest_wait_s:.0f} s is over"
    if study.expected is None:
        return Complete(f"{reason}; the archive gave no count", None)
    missing = study.expected - study.received
    return Complete(f"{reason}: {missing} of {study.expected} images missing", missing)
