from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops

from multitrain.networks.convolutions import Convolution, SeparableConvolution
from multitrain.networks.initializers import Normal
from multitrain.networks.spectral import Linear, SpectrallyNormalized, SpectralNorm
from multitrain.networks.transposed import OUTPUTS, ExactConv2DTranspose


def kernel() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype(np.float32)


def longest(weights: np.ndarray, outputs: int) -> float:
    """The largest singular value of a kernel as a matrix."""
    matrix = np.moveaxis(weights, outputs, -1).reshape(-1, weights.shape[outputs])
    return float(np.linalg.svd(matrix, compute_uv=False)[0])


@pytest.mark.parametrize("outputs", [-1, OUTPUTS])
def test_the_norm_is_1_after_some_training(outputs: int) -> None:
    norm = SpectralNorm(seed=1, outputs=outputs)
    norm.build(kernel().shape)
    for _ in range(50):
        made = np.asarray(norm(kernel(), training=True))

    assert longest(made, outputs) == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(made * longest(kernel(), outputs), kernel(), rtol=1e-3)


def test_the_vector_moves_in_training_alone() -> None:
    norm = SpectralNorm(seed=1)
    norm.build(kernel().shape)
    start = np.asarray(norm.vector.value)

    one, other = (np.asarray(norm(kernel(), training=False)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(norm.vector.value, start)

    norm(kernel(), training=True)
    assert (np.asarray(norm.vector.value) != start).any()
    assert np.linalg.norm(np.asarray(norm.vector.value)) == pytest.approx(1, abs=1e-5)


START = Normal(1.0, seed=7)
LAYERS: dict[str, Callable[[SpectralNorm], SpectrallyNormalized]] = {
    "linear": lambda norm: Linear(4, spectral=norm, kernel_initializer=START),
    "conv": lambda norm: Convolution(4, (3, 3), spectral=norm, kernel_initializer=START),
    "deconv": lambda norm: ExactConv2DTranspose(
        4, (3, 3), 6, 6, spectral=norm, kernel_initializer=START
    ),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_applies_its_weights_normalized(kind: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 5)).astype(np.float32)
    x = x.reshape(2, -1) if kind == "linear" else x
    layer = LAYERS[kind](SpectralNorm(1, OUTPUTS if kind == "deconv" else -1))

    for _ in range(100):
        made = layer(x, training=True)
    weights = np.asarray(layer.kernel.value)
    norm = longest(weights, OUTPUTS if kind == "deconv" else -1)
    layer.kernel.assign(weights / norm)
    layer.spectral = None

    np.testing.assert_allclose(made, layer(x), atol=1e-3)


def test_the_weights_of_each_channel_are_divided_by_the_longest() -> None:
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 5)).astype(np.float32)
    layer, alike = (SeparableConvolution(4, (3, 3), 1.0, (1, 2)) for _ in range(2))
    layer.spectral = SpectralNorm(3)
    layer.build(x.shape)
    alike.build(x.shape)
    mixing = np.asarray(layer.spectral(np.asarray(layer.kernel.value)))
    each = np.asarray(layer.depthwise.value)
    alike.set_weights([mixing, np.zeros(4), each / np.linalg.norm(each, axis=(0, 1)).max()])

    np.testing.assert_allclose(layer(x), alike(x), atol=1e-4)


def test_gradients_go_through_the_division_but_not_through_the_iteration() -> None:
    """As Miyato et al. 2018, equation 10, has it."""
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    layer = Linear(3, use_bias=False, spectral=SpectralNorm(1), kernel_initializer=START)
    layer.build(x.shape)

    weights, start = (
        ops.convert_to_numpy(each.value).copy() for each in (layer.kernel, layer.spectral.vector)
    )

    gradient = gradient_of_squares(layer, x)

    left = weights @ start / np.linalg.norm(weights @ start)
    right = left @ weights / np.linalg.norm(left @ weights)
    sigma = left @ weights @ right
    wish = 2 * x.T @ (x @ weights / sigma)
    wanted = (wish - np.vdot(wish, weights) / sigma * np.outer(left, right)) / sigma
    np.testing.assert_allclose(gradient, wanted, rtol=1e-3, atol=1e-3)


def gradient_of_squares(layer: keras.layers.Layer, x: np.ndarray) -> np.ndarray:
    """Of the sum of squares of what `layer` makes of `x` in training, of its only weights."""
    if keras.backend.backend() == "jax":
        import jax

        others = [variable.value for variable in layer.non_trainable_variables]

        def total(weights: object) -> object:
            made, _ = layer.stateless_call([weights], others, x, training=True)
            return (made**2).sum()

        return np.asarray(jax.grad(total)(layer.kernel.value))
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total_of_squares = tf.reduce_sum(layer(x, training=True) ** 2)
    return np.asarray(tape.gradient(total_of_squares, layer.kernel.value))
