"""Inputs that are made of pictures, beside what others make of the same ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from jobs.settings.translation import Making
from multitrain.networks.making import made

HEIGHT, WIDTH = 21, 34


@pytest.fixture
def pictures() -> np.ndarray:
    """Two of them, `(2, 21, 34, 3)` uint8."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (2, HEIGHT, WIDTH, 3), dtype=np.uint8)


def done(pictures: np.ndarray, *steps: str) -> np.ndarray:
    return np.asarray(made([Making.parse(step) for step in steps], pictures))


def test_grey_is_luma(pictures: np.ndarray) -> None:
    luma = pictures @ np.array([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(done(pictures, "grey"), luma[..., None].repeat(3, -1), rtol=1e-5)


@pytest.mark.parametrize("radius", [0.7, 2.0])
def test_a_blur_is_opencvs_within(pictures: np.ndarray, radius: float) -> None:
    """OpenCV reflects what is beyond the edges, so only what is far from them is compared."""
    reach = 2 * int(4 * radius + 0.5) + 1
    wanted = cv2.GaussianBlur(pictures[0].astype(np.float32), (reach, reach), radius)
    far = slice(8, -8)
    np.testing.assert_allclose(
        done(pictures, f"blur({radius})")[0, far, far], wanted[far, far], atol=0.5
    )


def test_a_blur_keeps_a_flat_picture_to_its_edges() -> None:
    flat = np.full((1, 5, 7, 3), 90, np.uint8)
    np.testing.assert_allclose(done(flat, "blur(200)"), 90, rtol=1e-5)


def test_edges_are_dark_where_brightness_changes() -> None:
    picture = np.zeros((1, 16, 16, 3), np.uint8)
    picture[:, :, 8:] = 200
    drawn = done(picture, "edges(2)")[0]

    np.testing.assert_allclose(drawn[:, [0, 1, 2, 13, 14, 15]], 255, atol=0.5)
    assert (drawn[:, 7:9] < 130).all()
    weaker = done(picture, "edges(1)")[0]
    np.testing.assert_allclose(255 - weaker[:, 4], (255 - drawn[:, 4]) / 2, atol=1e-3)


def test_posterised_pictures_have_so_many_levels(pictures: np.ndarray) -> None:
    found = done(pictures, "posterise(3)")
    np.testing.assert_allclose(np.unique(found.round(3)), [0, 127.5, 255])
    assert np.abs(found - pictures).max() <= 127.5 / 2 + 1


@pytest.mark.parametrize("factor", [2, 4, 5])
def test_downscaled_pictures_are_means_with_straight_lines_between(
    pictures: np.ndarray, factor: int
) -> None:
    found = done(pictures, f"downscale({factor})")[0]
    rows, columns = HEIGHT // factor, WIDTH // factor
    cut = pictures[0, : rows * factor, : columns * factor].astype(np.float32)
    means = cut.reshape(rows, factor, columns, factor, 3).mean(axis=(1, 3))
    wanted = cv2.resize(means, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    inside = np.s_[: (rows - 1) * factor, : (columns - 1) * factor]
    np.testing.assert_allclose(found[inside], wanted[inside], atol=0.01)


def test_steps_follow_each_other_and_alpha_stays(pictures: np.ndarray) -> None:
    with_alpha = np.concatenate([pictures, pictures[..., :1]], axis=-1)
    chain = done(with_alpha, "downscale", "grey", "posterise(2)")

    one = done(pictures, "downscale")
    np.testing.assert_allclose(chain[..., :3], done(done(one, "grey"), "posterise(2)"), atol=1e-3)
    np.testing.assert_array_equal(chain[..., 3], with_alpha[..., 3])
