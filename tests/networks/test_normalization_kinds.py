from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from multitrain.networks.normalization import FusedBatchNormalization, normalization

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
