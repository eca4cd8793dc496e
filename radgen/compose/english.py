"""English, in the order a radiologist dictates: certainty, side, finding, place, value."""

from collections.abc import Sequence

from radgen.domain.finding import Certainty, Finding, FindingStructure, Measurement, Side
from radgen.knowledge import findings, procedures, quantities, reasons

SIDE = {Side.RIGHT: "right", Side.LEFT: "left", Side.BILATERAL: "bilateral"}
_NO = "No "


class English:
    """See `Wording`."""

    def technique(self, structure: FindingStructure) -> str:
        """Computed tomography, chest; 300 images read."""
        row, part = (
            procedures.procedure(structure.modality),
            procedures.body_part(structure.body_part),
        )
        name = row.en if row else structure.modality
        place = part.en if part else structure.body_part
        what = ", ".join(word for word in (name, place) if word) or "unknown procedure"
        count = len(structure.images)
        return f"{what}; {count} {'image' if count == 1 else 'images'} read."

    def reader(self, structure: FindingStructure) -> str:
        """Analysis model: name version."""
        pack = structure.pack
        return f"Analysis model: {pack.name} {pack.version}." if pack else "Analysis model: none."

    def present(self, finding: Finding) -> str:
        """Probable right pleural effusion, size 34.0 mm."""
        what = _named(finding)
        statement = {
            Certainty.CONSISTENT_WITH: f"Appearances are consistent with {what}",
            Certainty.PROBABLE: f"Probable {what}",
            Certainty.POSSIBLE: f"Possible {what}",
            Certainty.NOT_EXCLUDED: f"{_capital(what)} is not excluded",
            None: _capital(what),
        }[finding.certainty]
        return ", ".join([statement, *_values(finding)]) + "."

    def absent(self, findings_: Sequence[Finding]) -> str:
        """The heart is not enlarged; no pleural effusion or pneumothorax."""
        clauses = dict.fromkeys(findings.entry(each.finding).absent_en for each in findings_)
        listed = [each.removeprefix(_NO) for each in clauses if each.startswith(_NO)]
        whole = [each for each in clauses if not each.startswith(_NO)]
        parts = [*whole, *([_NO + _either(listed)] if listed else [])]
        return "; ".join([parts[0], *(each[0].lower() + each[1:] for each in parts[1:])]) + "."

    def absent_there(self, finding: Finding) -> str:
        """No pneumothorax on the right."""
        statement = f"{findings.entry(finding.finding).absent_en}{_not_there(finding)}"
        return ", ".join([statement, *_values(finding)]) + "."

    def not_assessed(self, findings_: Sequence[Finding], reason: str | None) -> str:
        """Not assessed: right pneumothorax, fracture (no model is available for it)."""
        names = ", ".join(_named(each) for each in findings_)
        why = f" ({reasons.entry(reason).en})" if reason else ""
        return f"Not assessed: {names}{why}."

    def measured(self, measurement: Measurement) -> str:
        """Total lung volume 4123 ml."""
        return f"{_capital(_measured(measurement))}."

    def refused(self, reason: str, details: str) -> str:
        """Not assessed: the image is not a frontal chest radiograph."""
        return f"Not assessed: {reasons.entry(reason).en}{_details(details)}."

    def caution(self, reason: str, details: str) -> str:
        """Caution: the patient's age is unknown."""
        return f"Caution: {reasons.entry(reason).en}{_details(details)}."

    def incomplete(self, missing: int | None) -> str:
        """Caution: not all images of the study were received; 17 missing."""
        count = "the number missing is unknown" if missing is None else f"{missing} missing"
        return f"Caution: {reasons.entry('incomplete-study').en}; {count}."

    def nothing_found(self) -> str:
        """Says no more than that the assessed findings are absent."""
        return "No positive finding among those assessed."

    def nothing_assessed(self) -> str:
        """All findings are listed as not assessed in the findings section."""
        return "Not assessed: all findings."


def _named(finding: Finding) -> str:
    """Side and place of a finding as one noun phrase."""
    name = findings.entry(finding.finding).en
    if finding.site:
        return f"{name}{_place_after(finding)}"
    return f"{SIDE[finding.side]} {name}" if finding.side else name


def _place_after(finding: Finding) -> str:
    """The place of a finding with a site: "in the right lower lobe"."""
    place = findings.site(finding.site).en if finding.site else ""
    if finding.side is Side.BILATERAL:
        return f" in the {place} ({SIDE[finding.side]})"
    return f" in the {SIDE[finding.side]} {place}" if finding.side else f" in the {place}"


def _not_there(finding: Finding) -> str:
    """Where an absent finding was looked for; "no bilateral X" would deny only one half."""
    if finding.site and finding.side is Side.BILATERAL:
        return f" in either {findings.site(finding.site).en}"
    if finding.site:
        return _place_after(finding)
    if finding.side is Side.BILATERAL:
        return " on either side"
    return f" on the {SIDE[finding.side]}" if finding.side else ""


def _values(finding: Finding) -> list[str]:
    size = finding.size_mm
    sizes = [] if size is None else [f"size {quantities.number(size, 1)} mm"]
    return [*sizes, *(_measured(each) for each in finding.measurements)]


def _measured(measurement: Measurement) -> str:
    row = quantities.entry(measurement.quantity)
    side = f"{SIDE[measurement.side]} " if measurement.side and not row.side else ""
    return f"{side}{row.en} {quantities.value_and_unit(measurement)}"


def _either(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _details(details: str) -> str:
    return f" ({details})" if details else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
