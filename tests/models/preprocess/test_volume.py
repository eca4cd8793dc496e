"""A volume keeps its sides, its unit and its place on the way to a network."""

import numpy as np
import pytest

from models.preprocess.volume import ASTRA_CHEST, MERLIN, VolumeRecipe, to_model_volume

SPACING_MM = (5.0, 2.0, 2.0)


def marked() -> np.ndarray:
    """A body in air with one dense block: superior, anterior, on the patient's left."""
    voxels = np.full((40, 100, 120), -1000, dtype=np.int16)
    voxels[5:35, 20:80, 20:100] = 0
    voxels[30:33, 25:30, 90:95] = 1000
    return voxels


@pytest.mark.parametrize("recipe", [MERLIN, ASTRA_CHEST])
def test_left_front_and_top_end_where_the_network_expects_them(recipe: VolumeRecipe):
    found = to_model_volume(marked(), SPACING_MM, recipe)
    assert found.voxels.shape == (1, 1, *recipe.shape)
    assert found.voxels.dtype == np.float32
    assert found.voxels.min() >= 0.0
    assert found.voxels.max() == 1.0
    voxels = found.voxels[0, 0]
    rightward, forward, upward = np.argwhere(voxels > 0.95).mean(axis=0) / recipe.shape
    assert rightward < 0.5  # the patient's left is the low end of an axis that grows to the right
    assert forward > 0.5
    assert upward > 0.5


def test_merlin_resamples_to_its_spacing():
    found = to_model_volume(marked(), SPACING_MM, MERLIN)
    assert found.spacing_mm == pytest.approx((1.5, 1.5, 3.0))
    body = np.argwhere(found.voxels[0, 0] >= 0.25)
    size_mm = (body.max(axis=0) - body.min(axis=0) + 1) * found.spacing_mm
    assert size_mm == pytest.approx((160.0, 120.0, 150.0), abs=6.0)


def test_astra_cuts_to_the_body_and_says_the_new_spacing():
    found = to_model_volume(marked(), SPACING_MM, ASTRA_CHEST)
    assert found.spacing_mm == pytest.approx((160 / 224, 120 / 224, 150 / 160))


def test_the_window_maps_hounsfield_units_to_zero_and_one():
    water = np.zeros((20, 60, 60), dtype=np.int16)
    middle = to_model_volume(water, (3.0, 1.5, 1.5), MERLIN).voxels[0, 0, 112, 112, 80]
    assert middle == pytest.approx(0.5)
    middle = to_model_volume(water, (3.0, 1.5, 1.5), ASTRA_CHEST).voxels[0, 0, 112, 112, 80]
    assert middle == pytest.approx(1000 / 1200)


@pytest.mark.parametrize(
    ("voxels", "spacing"),
    [
        (np.zeros((1, 50, 50), dtype=np.int16), SPACING_MM),
        (np.zeros((50, 50), dtype=np.int16), SPACING_MM),
        (marked(), (0.0, 1.0, 1.0)),
        (marked(), (float("nan"), 1.0, 1.0)),
        (np.full((10, 20, 20), np.inf, dtype=np.float32), SPACING_MM),
        (np.full((10, 20, 20), -1024, dtype=np.int16), SPACING_MM),
    ],
)
def test_a_volume_that_cannot_be_used_is_refused(voxels: np.ndarray, spacing: tuple[float, ...]):
    with pytest.raises(ValueError, match=r"cannot be|not finite|nothing but air"):
        to_model_volume(voxels, spacing, ASTRA_CHEST)
