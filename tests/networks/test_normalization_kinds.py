from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from multitrain.networks.normalization import FusedBatchNormalization, normalization
from tests.combinations import first_on_jax

KINDS = {"batch": (0, 1, 2), "layer": (1, 2, 3), "instance": (1, 2)}


def images() -> np.ndarray:
    return np.random.default_rng(2).normal(3.0, 2.0, (4, 3, 5, 6)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_over_its_axes_with_a_scale_and_offset_per_channel(kind: str) -> None:
    x, layer = images(), normalization(kind, "norm")
    layer.build(x.shape)
    scale, offset = np.arange(1, 7, dtype=np.float32), np.arange(6, dtype=np.float32)
    layer.gamma.assign(scale)
    layer.beta.assign(offset)

    made = np.asarray(layer(x, training=True) if kind == "batch" else layer(x))

    mean, variance = (moment(x, axis=KINDS[kind], keepdims=True) for moment in (np.mean, np.var))
    wanted = (x - mean) / np.sqrt(variance + 1e-5) * scale + offset
    np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-4)


def test_pixel_normalization_has_no_parameters_and_makes_pixels_of_length_1() -> None:
    x, layer = images(), normalization("pixel", "norm")

    made = np.asarray(layer(x))

    assert not layer.weights
    np.testing.assert_allclose((made**2).mean(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(made / made[..., :1], x / x[..., :1], rtol=1e-3)


@pytest.mark.parametrize("kind", ["spectral", "none"])
def test_what_is_not_of_values_is_no_layer(kind: str) -> None:
    assert normalization(kind, "norm") is None


@pytest.mark.parametrize("kind", ["layer", "instance", "pixel", "batch"])
def test_bfloat16_values_are_normalized_by_float32_parameters(kind: str) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = normalization(kind, "norm")
    finally:
        keras.config.set_dtype_policy(before)

    # Of values around 300, bfloat16 knows every second whole number: their sums must know more.
    x = ops.cast(images() * 4 + 300, "bfloat16")
    made = layer(x, training=True) if kind == "batch" else layer(x)

    assert keras.backend.standardize_dtype(made.dtype) == "bfloat16"
    exact = np.asarray(ops.cast(x, "float32"))
    if kind == "pixel":
        wanted = exact / np.sqrt((exact**2).mean(-1, keepdims=True))
    else:
        wanted = exact - exact.mean(KINDS[kind], keepdims=True)
        wanted /= exact.std(KINDS[kind], keepdims=True)
    np.testing.assert_allclose(np.asarray(ops.cast(made, "float32")), wanted, atol=0.02)
    assert {variable.dtype for variable in layer.variables} <= {"float32"}


def test_frozen_batch_normalization_is_by_moving_statistics() -> None:
    x, layer = images(), FusedBatchNormalization(epsilon=1e-5)
    layer.trainable = False

    made = layer(x, training=True)

    np.testing.assert_allclose(made, x / np.sqrt(1 + 1e-5), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.value, np.zeros(6))


@pytest.mark.parametrize("kind", first_on_jax(["layer", "instance", "pixel", "batch"]))
def test_a_penalty_on_gradients_has_the_slope_that_differences_have(kind: str) -> None:
    layer, random = normalization(kind, "norm"), np.random.default_rng(5)
    x = images() / 2 - 1
    layer.build(x.shape)
    judge, places = random.normal(size=(2, *x.shape)).astype(np.float32)
    mixing, direction = random.normal(size=(2, 6, 6)).astype(np.float32) / 3

    def judged(pictures: Any, weights: Any) -> Any:
        made = outputs(layer, ops.matmul(pictures * places, weights))
        return ops.sum((ops.square(made) + ops.tanh(made)) * judge)

    def penalty(weights: Any) -> Any:
        return ops.mean(ops.square(gradient(lambda pictures: judged(pictures, weights), x)))

    slope = float(np.vdot(gradient(penalty, mixing), direction))

    step = 0.003
    above, below = (float(penalty(mixing + sign * step * direction)) for sign in (1, -1))
    assert slope == pytest.approx((above - below) / (2 * step), rel=2e-3)


def outputs(layer: keras.layers.Layer, values: Any) -> Any:
    """What `layer` makes of `values` as it trains; it stays as it is."""
    own = [each.value for each in layer.trainable_variables]
    moving = [each.value for each in layer.non_trainable_variables]
    training = {"training": True} if moving else {}
    return layer.stateless_call(own, moving, values, **training)[0]


def gradient(of: Callable[[Any], Any], at: Any) -> Any:
    """By the engine, whose gradients can be taken again."""
    at = ops.convert_to_tensor(at)
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(of)(at)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(at)
        value = of(at)
    return tape.gradient(value, at)
