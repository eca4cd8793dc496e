"""What both languages must be able to say; `chinese` and `english` are the two that can."""

from collections.abc import Sequence
from typing import Protocol

from radgen.domain.finding import Finding, FindingStructure, Measurement


class Wording(Protocol):
    """One language. Every method returns whole sentences, pure functions of its arguments.

    Each raises UnknownTermError if the structure uses a word the knowledge does not have.
    """

    def technique(self, structure: FindingStructure) -> str:
        """What was examined and how many images were read."""
        ...

    def reader(self, structure: FindingStructure) -> str:
        """Which pack read it, or that none did."""
        ...

    def present(self, finding: Finding) -> str:
        """A finding that is there."""
        ...

    def absent(self, findings: Sequence[Finding]) -> str:
        """Findings of one region, all known absent and none with a side or a site."""
        ...

    def absent_there(self, finding: Finding) -> str:
        """One finding known absent on one side or at one site."""
        ...

    def not_assessed(self, findings: Sequence[Finding], reason: str | None) -> str:
        """Findings nobody looked for, and why."""
        ...

    def measured(self, measurement: Measurement) -> str:
        """A value of the whole study."""
        ...

    def refused(self, reason: str, details: str) -> str:
        """Nothing was assessed, and why."""
        ...

    def caution(self, reason: str, details: str) -> str:
        """What limits the draft."""
        ...

    def incomplete(self, missing: int | None) -> str:
        """Images of the study did not arrive; None where nobody knows how many."""
        ...

    def nothing_found(self) -> str:
        """Everything that was assessed is absent."""
        ...

    def nothing_assessed(self) -> str:
        """No finding was assessed."""
        ...
