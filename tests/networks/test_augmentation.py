from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from multitrain.networks.augmentation import (
    DiffAugment,
    brighten,
    contrast,
    cut_out,
    saturate,
    shift,
)

EVERYTHING = ("color", "translation", "cutout")


def pictures(channels: int = 3, count: int = 3) -> np.ndarray:
    random = np.random.default_rng(channels)
    return random.uniform(-1, 1, (count, 16, 24, channels)).astype(np.float32)


def factors(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 1, 1, 1)


def augmented(x: np.ndarray, *kinds: str, has_alpha: bool = False, seed: int = 1) -> np.ndarray:
    return np.asarray(DiffAugment(kinds, has_alpha, seed)(x, training=True))


def gradient(function: Callable[[Any], Any], x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of the sum of what `function` makes of `x`, weighted."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda at: (function(at) * weights).sum())(x))
    import tensorflow as tf

    at = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(at)
        total = tf.reduce_sum(function(at) * weights)
    return np.asarray(tape.gradient(total, at))


@pytest.mark.long_on_jax
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_nothing_happens_but_in_training(channels: int) -> None:
    layer = DiffAugment(EVERYTHING, has_alpha=channels == 4, seed=1)

    x = pictures(channels)
    np.testing.assert_array_equal(layer(x), x)
    assert (augmented(x, *EVERYTHING) != x).mean() > 0.5


def test_brightness_is_added_and_its_gradient_is_the_identity() -> None:
    x, by, weights = pictures(), factors(0.5, 0, -0.25), pictures(3)

    np.testing.assert_array_equal(brighten(x, by), x + by)
    np.testing.assert_array_equal(gradient(lambda at: brighten(at, by), x, weights), weights)


def test_saturation_is_around_the_grey_of_a_pixel() -> None:
    x = pictures()
    made = np.asarray(saturate(x, factors(0, 1, 2)))

    grey = x.mean(-1, keepdims=True)
    np.testing.assert_allclose(made[0], np.broadcast_to(grey[0], x[0].shape), atol=1e-6)
    np.testing.assert_allclose(made[1], x[1], atol=1e-6)
    np.testing.assert_allclose(made[2], 2 * x[2] - grey[2], atol=1e-6)


def test_contrast_is_around_the_mean_of_a_picture() -> None:
    x = pictures()
    made = np.asarray(contrast(x, factors(0.5, 1, 1.5)))

    for one, factor, was in zip(made, (0.5, 1, 1.5), x, strict=True):
        np.testing.assert_allclose(one, was.mean() + factor * (was - was.mean()), atol=1e-5)


@pytest.mark.parametrize("axis", [1, 2])
def test_pictures_move_by_whole_pixels_and_zeros_come_in(axis: int) -> None:
    x, by = pictures(count=7), np.arange(-3, 4, dtype=np.int32)

    made = np.asarray(shift(x, by, most=3, axis=axis))

    for one, was, distance in zip(made, x, by, strict=True):
        wanted = np.roll(was, distance, axis - 1)
        came_in = slice(0, distance) if distance > 0 else slice(distance or len(was) * 2, None)
        wanted[(slice(None),) * (axis - 1) + (came_in,)] = 0
        np.testing.assert_array_equal(one, wanted)


def test_gradients_move_back() -> None:
    x, weights = pictures(), pictures(3)
    by = np.array([2, 0, -1], np.int32)

    found = gradient(lambda at: shift(at, by, most=2, axis=2), x, weights)

    np.testing.assert_array_equal(found, shift(weights, -by, most=2, axis=2))


def test_a_cut_is_half_as_wide_and_high_around_its_centre() -> None:
    x = np.ones((3, 16, 24, 1), np.float32)
    rows, columns = (np.array(each, np.int32) for each in ([8, 0, 15], [12, 0, 23]))

    holes = np.asarray(cut_out(x, rows, columns))[..., 0] == 0

    for hole, (top, bottom, left, right) in zip(
        holes, [(4, 12, 6, 18), (0, 4, 0, 6), (11, 16, 17, 24)], strict=True
    ):
        wanted = np.zeros((16, 24), bool)
        wanted[top:bottom, left:right] = True
        np.testing.assert_array_equal(hole, wanted)


def test_the_gradient_of_a_cut_is_zero_within_and_the_identity_around() -> None:
    x, weights = pictures(), pictures(3)
    centre = np.full(3, 8, np.int32)

    found = gradient(lambda at: cut_out(at, centre, centre), x, weights)

    np.testing.assert_array_equal(
        found, np.where(np.asarray(cut_out(x, centre, centre)) == 0, 0, weights)
    )
    assert (found == 0).mean() == pytest.approx(0.25)


def test_every_picture_has_draws_of_its_own_in_the_ranges_of_the_paper() -> None:
    x = np.zeros((400, 16, 24, 1), np.float32)
    x[:, 8, 12] = 1.0

    brightness = augmented(x, "color")[:, 0, 0, 0]
    assert len(np.unique(brightness)) > 390
    assert (brightness.min(), brightness.max()) == pytest.approx((-0.5, 0.5), abs=0.02)

    _, rows, columns, _ = np.nonzero(augmented(x, "translation"))
    assert sorted(set(rows)) == list(range(6, 11))  # an eighth of 16
    assert sorted(set(columns)) == list(range(9, 16))  # and of 24

    share = (augmented(np.ones_like(x), "cutout") == 0).mean((1, 2, 3))
    assert share.max() == pytest.approx(0.25)
    assert 0.05 < share.min() < 0.1  # a corner


def test_alpha_moves_with_its_picture_and_keeps_its_values() -> None:
    x = pictures(4)

    recoloured = augmented(x, "color", has_alpha=True)
    np.testing.assert_array_equal(recoloured[..., 3], x[..., 3])
    assert (recoloured[..., :3] != x[..., :3]).mean() > 0.99

    hole = augmented(x, "cutout", has_alpha=True) == 0
    assert hole.any()
    np.testing.assert_array_equal(hole[..., 3], hole[..., 0])


def test_one_channel_is_not_saturated_but_brightened() -> None:
    flat = np.full((3, 4, 4, 1), 0.5, np.float32)

    made = augmented(flat, "color")

    assert (made.std((1, 2, 3)) < 1e-6).all()
    assert (np.abs(made[:, 0, 0, 0] - 0.5) > 1e-3).all()
