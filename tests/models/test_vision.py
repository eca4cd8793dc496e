"""The encoder reads upright frontal films, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.calibration import PictureVerdict, calibrate, judge_picture
from models.preprocess.radiograph import to_model_input
from models.vision import Encoded, VisionEncoder

Pixels = NDArray[np.float32]


def encode(encoder: VisionEncoder, pixels: Pixels) -> Encoded:
    return encoder.encode(to_model_input(np.ascontiguousarray(pixels)).image)


def judge(encoder: VisionEncoder, pixels: Pixels) -> PictureVerdict:
    assert encoder.pack.gate is not None
    return judge_picture(encode(encoder, pixels).gate[0], encoder.pack.gate)


def noise(sigma: float) -> Pixels:
    rng = np.random.default_rng(5)
    return np.clip(rng.normal(0.5, sigma, size=(300, 300)), 0, 1).astype(np.float32)


EMPTY: dict[str, Callable[[], Pixels]] = {
    "black": lambda: np.zeros((512, 400), dtype=np.float32),
    "white": lambda: np.ones((512, 400), dtype=np.float32),
    "weak noise": lambda: noise(0.05),
    "strong noise": lambda: noise(0.5),
    "half black": lambda: np.tile(np.linspace(0, 1, 300) > 0.5, (300, 1)).astype(np.float32),
    "checkerboard": lambda: (np.indices((256, 256)).sum(axis=0) // 16 % 2).astype(np.float32),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_picture_of_nothing_is_refused(encoder: VisionEncoder, name: str):
    assert not judge(encoder, EMPTY[name]()).accepted


def test_images_of_another_shape_or_type_are_refused(encoder: VisionEncoder):
    with pytest.raises(ValueError, match="IMAGE"):
        encoder.encode(np.zeros((1, 1, 224, 224), dtype=np.float32))
    with pytest.raises(ValueError, match="IMAGE"):
        encoder.encode(np.zeros((1, 1, 260, 260), dtype=np.float64))  # type: ignore[arg-type]


def test_the_mean_of_an_evidence_map_is_the_score(encoder: VisionEncoder):
    found = encode(encoder, noise(0.3))
    assert found.evidence.mean(axis=(2, 3)) == pytest.approx(found.logits, abs=1e-4)


def test_an_image_scores_the_same_alone_and_in_a_batch(encoder: VisionEncoder):
    images = np.random.default_rng(1).random((4, 1, 260, 260), dtype=np.float32)
    together = encoder.encode(images)
    for row in range(4):
        alone = encoder.encode(images[row : row + 1])
        assert alone.logits[0] == pytest.approx(together.logits[row], abs=1e-4)
        assert alone.gate[0] == pytest.approx(together.gate[row], abs=1e-4)


@pytest.mark.shared_data
def test_most_frontal_films_are_accepted(encoder: VisionEncoder, radiographs: list[Pixels]):
    accepted = sum(judge(encoder, film).accepted for film in radiographs)
    assert accepted >= 0.9 * len(radiographs)


@pytest.mark.shared_data
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_films_are_refused(encoder: VisionEncoder, radiographs: list[Pixels], quarters: int):
    refused = sum(not judge(encoder, np.rot90(film, quarters)).accepted for film in radiographs)
    assert refused >= 0.95 * len(radiographs)


@pytest.mark.shared_data
def test_inverted_films_are_refused(encoder: VisionEncoder, radiographs: list[Pixels]):
    refused = sum(not judge(encoder, 1.0 - film).accepted for film in radiographs)
    assert refused >= 0.95 * len(radiographs)


@pytest.mark.shared_data
def test_lateral_films_and_ct_pictures_are_refused(encoder: VisionEncoder, shared_data: Path):
    folder = shared_data / "covid_lateral_ct_notes" / "images"
    pictures = [_read(path) for path in sorted(folder.glob("*.jpg"))[::3]]
    refused = sum(not judge(encoder, picture).accepted for picture in pictures)
    assert refused >= 0.95 * len(pictures)


@pytest.mark.shared_data
def test_the_evidence_of_a_mirrored_film_is_mirrored(
    encoder: VisionEncoder, radiographs: list[Pixels]
):
    for film in radiographs[:6]:
        image = to_model_input(film).image
        straight = encoder.encode(image)
        mirrored = encoder.encode(np.ascontiguousarray(image[..., ::-1]))
        assert mirrored.evidence[..., ::-1] == pytest.approx(straight.evidence, abs=1e-3)
        assert not np.allclose(mirrored.evidence, straight.evidence, atol=1e-2)


@pytest.mark.shared_data
def test_probabilities_of_real_films_are_not_all_alike(
    encoder: VisionEncoder, radiographs: list[Pixels]
):
    scores = np.concatenate([encode(encoder, film).logits for film in radiographs])
    chances = calibrate(scores, encoder.pack.labels)
    assert (chances.max(axis=0) - chances.min(axis=0) > 0.1).all()


def _read(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255.0)
