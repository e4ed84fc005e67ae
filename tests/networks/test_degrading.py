"""Low pictures that are made of high ones, beside what files and hands make of them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from jobs.settings.kinds import Resolution
from jobs.settings.translation import Degradation
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.networks.degrading import degraded, sizes_of_noise
from tests.combinations import first_on_jax

WIDTH, HEIGHT = 45, 34
PICTURE = draw_landscape(3, WIDTH, HEIGHT)


def done(
    *steps: str, scale: int = 1, picture: np.ndarray = PICTURE, **noises: object
) -> np.ndarray:
    chain = [Degradation.parse(step) for step in steps]
    by_place = {int(name[1:]): each for name, each in noises.items()}
    return np.asarray(degraded(chain, picture[None], scale, by_place))[0]


def far(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_pictures_are_shrunk_as_pillow_does(scale: int) -> None:
    low = done("shrink", scale=scale)
    size = WIDTH // scale, HEIGHT // scale
    wanted = np.asarray(Image.fromarray(PICTURE).resize(size, Image.Resampling.BICUBIC))
    assert np.abs(low - wanted).max() <= 1
    np.testing.assert_array_equal(low, low.round())


@pytest.mark.parametrize("quality", first_on_jax([50, 10, 30, 75, 95]))
def test_jpeg_is_what_a_file_makes_of_it(quality: int) -> None:
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "JPEG", quality=quality)
    wanted = np.asarray(Image.open(file))

    made = done(f"jpeg({quality})")

    assert far(made, wanted) < 0.5 * far(PICTURE, wanted)
    assert far(made, PICTURE) == pytest.approx(far(wanted, PICTURE), rel=0.1)


def test_noise_has_the_size_that_pictures_have_where_it_is_added() -> None:
    chain = [Degradation.parse(step) for step in ("noise(3)", "shrink", "noise")]
    sizes = sizes_of_noise(chain, Resolution(WIDTH, HEIGHT), 2)
    assert sizes == {0: Resolution(45, 34), 2: Resolution(22, 17)}

    flat = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    drawn = np.random.default_rng(0).standard_normal((1, HEIGHT, WIDTH, 3), np.float32)
    made = done("noise(6)", picture=flat, n0=drawn)
    assert made.std() == pytest.approx(6, rel=0.05)
    np.testing.assert_allclose(made, 128 + 6 * drawn[0], atol=0.51)


def test_halos_stand_beside_edges_and_nowhere_else() -> None:
    step = np.full((8, 32, 3), 60, np.uint8)
    step[:, 16:] = 180
    made = done("halos(strength=1,radius=1.5)", picture=step)[4, :, 0]
    assert made[:8].tolist() == [60] * 8
    assert made[15] < 45
    assert made[16] > 195


def test_of_interlaced_pictures_every_other_line_is_lost() -> None:
    made = done("interlace")
    np.testing.assert_array_equal(made[::2], PICTURE[::2])
    between = (PICTURE[0:-2:2].astype(float) + PICTURE[2::2]) / 2
    np.testing.assert_allclose(made[1:-1:2], between, atol=0.51)
    np.testing.assert_array_equal(made[-1], PICTURE[-2])


@pytest.mark.long_on_jax
def test_alpha_is_made_as_large_and_nothing_else() -> None:
    clear = np.concatenate([PICTURE, PICTURE[..., :1]], axis=-1)
    made = done("blur(2)", "shrink", "jpeg(10)", scale=2, picture=clear)
    assert made.shape == (17, 22, 4)
    np.testing.assert_array_equal(made[..., 3], done("shrink", scale=2)[..., 0])
