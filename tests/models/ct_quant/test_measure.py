import time

import numpy as np
import pytest

from models.ct_quant.measure import ChestScan, Reason, measure_chest

NAMES = [
    "lung-volume-total",
    "lung-volume-right",
    "lung-volume-left",
    "mean-lung-density",
    "laa-950",
    "percentile-density-15",
]


def scan_of(phantom, voxels=None, **changes):
    given = {"kernel": "B30f", "slice_thickness_mm": 2.5} | changes
    chosen = phantom.voxels if voxels is None else voxels
    return ChestScan(chosen, phantom.spacing_mm, **given)


def values(result):
    return {quantity.name: quantity.value for quantity in result.quantities}


def reasons(result):
    return {quantity.name: quantity.reason for quantity in result.quantities}


def test_known_lungs_give_their_volumes_and_densities(chest):
    phantom = chest()
    result = measure_chest(scan_of(phantom))
    found = values(result)
    assert found["lung-volume-right"] == pytest.approx(phantom.volume_ml(phantom.right), rel=0.02)
    assert found["lung-volume-left"] == pytest.approx(phantom.volume_ml(phantom.left), rel=0.02)
    total = found["lung-volume-right"] + found["lung-volume-left"]
    assert found["lung-volume-total"] == pytest.approx(total)
    assert found["mean-lung-density"] == pytest.approx(-860, abs=3)
    assert found["percentile-density-15"] == pytest.approx(-860 - 1.036 * 20, abs=4)
    assert found["laa-950"] == pytest.approx(0, abs=0.3)
    assert [quantity.name for quantity in result.quantities] == NAMES
    assert result.failure == ""


def test_every_quantity_has_unit_method_and_side(chest):
    result = measure_chest(scan_of(chest()))
    assert [q.unit for q in result.quantities] == ["ml"] * 3 + ["[hnsf'U]", "%", "[hnsf'U]"]
    assert [q.side for q in result.quantities] == [None, "right", "left", None, None, None]
    assert all(q.method for q in result.quantities)


@pytest.mark.parametrize("touching", [False, True])
def test_a_mirrored_chest_swaps_its_sides(chest, touching):
    phantom = chest(touching=touching)
    plain = values(measure_chest(scan_of(phantom)))
    mirrored = values(measure_chest(scan_of(phantom, phantom.voxels[:, :, ::-1])))
    assert plain["lung-volume-right"] > 1.1 * plain["lung-volume-left"]
    assert mirrored["lung-volume-left"] == pytest.approx(plain["lung-volume-right"], rel=0.01)
    assert mirrored["lung-volume-right"] == pytest.approx(plain["lung-volume-left"], rel=0.01)


def test_lungs_that_touch_are_told_apart(chest):
    phantom = chest(touching=True)
    found = values(measure_chest(scan_of(phantom)))
    assert found["lung-volume-right"] == pytest.approx(phantom.volume_ml(phantom.right), rel=0.04)
    assert found["lung-volume-left"] == pytest.approx(phantom.volume_ml(phantom.left), rel=0.04)


def test_the_airways_are_not_lung(chest):
    with_airways = values(measure_chest(scan_of(chest())))
    without = values(measure_chest(scan_of(chest(trachea=False))))
    ratio = with_airways["lung-volume-total"] / without["lung-volume-total"]
    assert ratio == pytest.approx(1, abs=0.01)


def test_emphysema_is_the_share_that_was_put_in(chest):
    phantom = chest()
    lungs = phantom.right | phantom.left
    chosen = lungs & (np.random.default_rng(2).random(lungs.shape) < 0.3)
    voxels = phantom.voxels.copy()
    voxels[chosen] -= 150
    found = values(measure_chest(scan_of(phantom, voxels)))
    truth = 100 * (voxels[lungs] < -950).mean()
    assert found["laa-950"] == pytest.approx(truth, abs=1.0)
    assert found["laa-950"] > 25


@pytest.mark.parametrize("kernel", ["B70f", "LUNG", "", "FC52"])
def test_densitometry_needs_a_soft_kernel(chest, kernel):
    result = measure_chest(scan_of(chest(), kernel=kernel))
    given = reasons(result)
    assert given["laa-950"] is given["percentile-density-15"] is Reason.OTHER_KERNEL
    assert given["lung-volume-total"] is given["mean-lung-density"] is None
    assert values(result)["laa-950"] is None


@pytest.mark.parametrize(("thickness", "reason"), [(3.0, None), (5.0, Reason.THICK_SLICES)])
def test_densitometry_needs_thin_slices(chest, thickness, reason):
    result = measure_chest(scan_of(chest(), slice_thickness_mm=thickness))
    assert reasons(result)["laa-950"] is reason


def test_the_slice_spacing_stands_for_an_unknown_thickness(chest):
    phantom = chest()
    thick = ChestScan(phantom.voxels, phantom.spacing_mm, kernel="B30f")
    assert reasons(measure_chest(thick))["laa-950"] is Reason.THICK_SLICES


def test_contrast_is_noted(chest):
    phantom = chest()
    assert measure_chest(scan_of(phantom, contrast=True)).contrast
    assert not measure_chest(scan_of(phantom)).contrast


def test_the_key_slice_shows_the_most_lung(chest):
    phantom = chest()
    areas = (phantom.right | phantom.left).sum(axis=(1, 2))
    key = measure_chest(scan_of(phantom)).key_slice
    assert areas[key] > 0.95 * areas.max()


def refused(scan):
    result = measure_chest(scan)
    assert result.key_slice is None
    assert set(values(result).values()) == {None}
    (reason,) = set(reasons(result).values())
    return reason, result.failure


@pytest.mark.parametrize("part", [slice(0, 37), slice(30, 75)])
def test_a_chest_cut_off_at_an_end_is_not_assessed(chest, part):
    phantom = chest()
    reason, failure = refused(scan_of(phantom, phantom.voxels[part]))
    assert reason is Reason.CROPPED
    assert "touches" in failure


def test_a_chest_cut_off_at_a_side_is_not_assessed(chest):
    phantom = chest()
    assert refused(scan_of(phantom, phantom.voxels[:, :, 55:]))[0] is Reason.SEGMENTATION_FAILED


def test_one_lung_is_not_taken_for_two(chest):
    phantom = chest()
    voxels = phantom.voxels.copy()
    voxels[phantom.left] = 30
    reason, failure = refused(scan_of(phantom, voxels))
    assert (reason, failure) == (Reason.SEGMENTATION_FAILED, "only one lung found")


def test_a_shrunken_lung_makes_the_pair_implausible(chest):
    phantom = chest()
    voxels = phantom.voxels.copy()
    inferior = phantom.left.copy()
    inferior[41:] = False
    voxels[inferior] = 30
    assert "ratio" in refused(scan_of(phantom, voxels))[1]


def test_air_alone_is_no_body(chest):
    phantom = chest()
    assert refused(scan_of(phantom, np.full_like(phantom.voxels, -1000)))[1] == "no body found"


def test_a_body_without_lungs_has_none(chest):
    phantom = chest()
    voxels = phantom.voxels.copy()
    voxels[phantom.right | phantom.left] = 40
    assert refused(scan_of(phantom, voxels))[1] == "no lungs found"


def test_gas_in_the_bowel_is_no_lung(chest):
    phantom = chest()
    voxels = phantom.voxels.copy()
    voxels[phantom.right | phantom.left] = -995
    assert refused(scan_of(phantom, voxels))[1] == "no lungs found"


def test_small_lungs_are_implausible(chest):
    phantom = chest()
    spacing = tuple(step * 0.65 for step in phantom.spacing_mm)
    reason, failure = refused(ChestScan(phantom.voxels, spacing, kernel="B30f"))
    assert reason is Reason.SEGMENTATION_FAILED
    assert "implausible lung volume" in failure


def test_a_scan_of_few_voxels_is_refused_not_an_error():
    for shape in ((1, 1, 1), (3, 2, 5), (16, 4, 4)):
        scan = ChestScan(np.full(shape, 40, np.int16), (1.0, 1.0, 1.0))
        assert refused(scan)[0] is Reason.SEGMENTATION_FAILED


def test_blocks_cost_little_against_every_voxel(chest):
    """Blocks of two by two over voxels in threes: their borders cannot fall together."""
    phantom = chest(noise=0.0)
    fine = np.repeat(np.repeat(phantom.voxels, 3, axis=1), 3, axis=2)
    spacing = (phantom.spacing_mm[0], phantom.spacing_mm[1] / 3, phantom.spacing_mm[2] / 3)
    blocks = values(measure_chest(ChestScan(fine, spacing, kernel="B30f", slice_thickness_mm=1)))
    every = values(measure_chest(scan_of(phantom)))
    for name in NAMES:
        assert blocks[name] == pytest.approx(every[name], rel=0.01, abs=0.01)


def test_a_full_size_scan_takes_seconds(chest):
    phantom = chest()
    full = np.repeat(np.repeat(phantom.voxels, 2, axis=0)[:133], 3, axis=1).repeat(3, axis=2)
    full = np.pad(full[:, :, 17:-17], ((0, 0), (46, 46), (0, 0)), mode="edge")
    spacing = (phantom.spacing_mm[0] / 2, phantom.spacing_mm[1] / 3, phantom.spacing_mm[2] / 3)
    assert full.shape == (133, 512, 512)
    start = time.process_time()
    result = measure_chest(ChestScan(full, spacing, kernel="B30f"))
    assert time.process_time() - start < 10
    assert result.failure == ""
