"""One way from a radiograph to the encoder, and a way back for boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.preprocess.radiograph import to_model_input

SHAPES = [(384, 384), (1024, 800), (300, 512), (2000, 1000)]


def speckled(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).random((height, width), dtype=np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_result_is_a_square_with_the_aspect_kept_and_even_padding(shape: tuple[int, int]):
    found = to_model_input(speckled(*shape))
    assert found.image.shape == (1, 1, 260, 260)
    assert found.image.dtype == np.float32
    assert found.image.min() == 0.0
    assert found.image.max() == 1.0
    filled = np.argwhere(found.image[0, 0] > 0)
    (top, left), (bottom, right) = filled.min(axis=0), filled.max(axis=0)
    assert abs(top - (259 - bottom)) <= 2
    assert abs(left - (259 - right)) <= 2
    assert (bottom - top + 1) / (right - left + 1) == pytest.approx(shape[0] / shape[1], rel=0.03)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bright_patch_is_found_again_where_it_was(shape: tuple[int, int]):
    pixels = np.zeros(shape, dtype=np.float32)
    height, width = shape
    top, left = height // 4, width // 2
    pixels[top : top + height // 8, left : left + width // 8] = 1.0
    found = to_model_input(pixels)
    bright = np.argwhere(found.image[0, 0] > 0.5)
    (up, start), (down, stop) = bright.min(axis=0), bright.max(axis=0) + 1
    box = found.geometry.to_image_box((start, up, stop, down))
    assert box is not None
    step = max(shape) / 260
    wanted = (left, top, left + width // 8, top + height // 8)
    assert box == pytest.approx(wanted, abs=2 * step)


def test_a_box_in_the_padding_is_no_box():
    geometry = to_model_input(speckled(520, 260)).geometry
    assert geometry.to_image_box((0, 0, geometry.left - 1, 260)) is None


def test_a_box_is_cut_at_the_edge_of_the_picture():
    geometry = to_model_input(speckled(520, 260)).geometry
    assert geometry.to_image_box((0, 0, 260, 260)) == (0.0, 0.0, 260.0, 520.0)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(64, 900),
    width=st.integers(64, 900),
    box=st.tuples(*[st.floats(0.0, 1.0)] * 4),
)
def test_a_box_goes_there_and_back(height: int, width: int, box: tuple[float, ...]):
    geometry = to_model_input(speckled(height, width)).geometry
    left, right = sorted((box[0] * width, box[2] * width))
    top, bottom = sorted((box[1] * height, box[3] * height))
    there = (
        left * geometry.scale_x + geometry.left,
        top * geometry.scale_y + geometry.top,
        right * geometry.scale_x + geometry.left,
        bottom * geometry.scale_y + geometry.top,
    )
    back = geometry.to_image_box(there)
    if right - left > 1e-3 and bottom - top > 1e-3:
        assert back == pytest.approx((left, top, right, bottom), abs=1e-4 * max(height, width))


def test_brightness_and_contrast_of_the_display_do_not_matter():
    pixels = speckled(300, 300)
    dimmed = (0.2 + 0.5 * pixels).astype(np.float32)
    difference = to_model_input(pixels).image - to_model_input(dimmed).image
    assert np.abs(difference).max() < 1e-5


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_blank_picture_stays_blank(level: float):
    pixels = np.full((300, 200), level, dtype=np.float32)
    assert not to_model_input(pixels).image.any()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((10, 300), dtype=np.float32),
        np.zeros((3, 300, 300), dtype=np.float32),
        np.full((300, 300), np.nan, dtype=np.float32),
    ],
)
def test_what_is_no_radiograph_is_refused(pixels: np.ndarray):
    with pytest.raises(ValueError, match=r"cannot be read|not finite"):
        to_model_input(pixels)
