"""Pictures as values of several colour models at once, and how losses find their way back."""

from __future__ import annotations

from typing import get_args

import keras
import numpy as np
import pytest
from keras import ops

from jobs.settings.colours import ColourSpace, channels_of
from multitrain.networks.spaces import converted, from_space, to_space
from tests.combinations import combinations, first_on_jax

SPACES: tuple[ColourSpace, ...] = get_args(ColourSpace)
COLOURS = np.random.default_rng(0).integers(0, 256, (1, 40, 50, 3)).astype(np.float32)
# Greys have no hue, and what lies beyond sRGB no square root.
STRANGE = np.array([-1.0, 0.0, 1.0, 0.0, 0.3], np.float32)


@pytest.mark.parametrize("space", first_on_jax(SPACES))
def test_colours_come_back_to_a_level(space: ColourSpace) -> None:
    values = to_space(space, COLOURS)
    assert values.shape[-1] == channels_of(space)
    back = ops.convert_to_numpy(from_space(space, values))
    assert np.abs(back.round() - COLOURS).max() <= 1


@pytest.mark.long_on_jax
@pytest.mark.parametrize(("space", "other"), combinations(SPACES, SPACES[1:] + SPACES[:1]))
def test_the_same_colours_are_the_same_in_another_space(
    space: ColourSpace, other: ColourSpace
) -> None:
    made = ops.convert_to_numpy(converted(to_space(space, COLOURS), space, other))
    wanted = ops.convert_to_numpy(to_space(other, COLOURS))
    # Of dark and grey colours, rounding alone turns the hue.
    assert np.median(np.abs(made - wanted)) < 1e-4
    assert np.mean(np.abs(made - wanted)) < 1e-2


@pytest.mark.parametrize(("space", "other"), combinations(SPACES, SPACES[1:] + SPACES[:1]))
def test_whatever_a_network_makes_has_a_finite_slope(
    space: ColourSpace, other: ColourSpace
) -> None:
    if keras.backend.backend() == "jax":
        pytest.skip("slopes are taken by TensorFlow's tape")
    import tensorflow as tf

    grid = np.stack(np.meshgrid(*[STRANGE[:3]] * 4), axis=-1).reshape(-1, 4)
    values = np.resize(np.concatenate([grid, STRANGE[None, :4]]), (82, channels_of(space)))
    at = tf.constant(values.astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(at)
        total = tf.reduce_sum(tf.square(converted(at, space, other)))
    assert np.isfinite(tape.gradient(total, at)).all()
