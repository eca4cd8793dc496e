"""From the measurements of a chest CT to a finding structure.

The pack measures and states no disease: every finding is not assessed, and a value that could not
be measured becomes a caution with its reason, never a guess.
"""

from models.ct_quant.measure import ChestScan, CtQuantities, Quantity, measure_chest
from models.pack import Pack
from radgen.domain.finding import (
    Finding,
    FindingStructure,
    ImageEvidence,
    Measurement,
    PackIdentity,
    Presence,
    Side,
    Source,
)
from radgen.domain.image import Volume
from radgen.knowledge import findings


def assess_volume(volume: Volume, pack: Pack) -> FindingStructure:
    """Measures one chest CT.

    Returns: a structure whose modality and body part are the pack's first; its first image is the
    slice with the largest lung area. A scan whose lungs cannot be measured still gives a structure,
    with the reason among its cautions.
    """
    scan = ChestScan(
        voxels=volume.voxels,
        spacing_mm=volume.spacing_mm,
        kernel=volume.kernel,
        slice_thickness_mm=volume.slice_thickness_mm,
        contrast=volume.contrast,
    )
    return structure_of(measure_chest(scan), volume, pack)


def structure_of(measured: CtQuantities, volume: Volume, pack: Pack) -> FindingStructure:
    """Words for what was measured on `volume`; pure."""
    reasons = [str(quantity.reason) for quantity in measured.quantities if quantity.reason]
    if measured.contrast and len(reasons) < len(measured.quantities):
        reasons.append("contrast")
    return FindingStructure(
        modality=pack.input.modalities[0],
        body_part=pack.input.body_parts[0],
        pack=PackIdentity(pack.name, pack.version, pack.digest),
        findings=tuple(
            Finding(row.id, Presence.NOT_ASSESSED, Source.RULE, reason="no-model")
            for row in findings.entries().values()
            if set(row.modalities) & set(pack.input.modalities)
        ),
        measurements=tuple(
            _measurement(quantity, quantity.value)
            for quantity in measured.quantities
            if quantity.value is not None
        ),
        details=measured.failure,
        cautions=tuple(dict.fromkeys(reasons)),
        images=_key_slice_first(volume, measured.key_slice),
    )


def _measurement(quantity: Quantity, value: float) -> Measurement:
    return Measurement(
        quantity=quantity.name,
        value=value,
        unit=quantity.unit,
        method=quantity.method,
        side=Side(quantity.side) if quantity.side else None,
    )


def _key_slice_first(volume: Volume, key_slice: int | None) -> tuple[ImageEvidence, ...]:
    if key_slice is None:
        return volume.slices
    rest = (each for index, each in enumerate(volume.slices) if index != key_slice)
    return (volume.slices[key_slice], *rest)
