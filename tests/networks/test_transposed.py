from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from multitrain.networks.transposed import ExactConv2DTranspose, UnpaddedConv2DTranspose

SIZES = [(9, 11), (10, 12), (9, 12), (1, 2)]


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def grown_by_tensorflow(small: Any, kernel: Any, height: int, width: int, stride: int = 2) -> Any:
    size = (small.shape[0], height, width, kernel.shape[2])
    return tf.nn.conv2d_transpose(small, kernel, size, strides=stride, padding="SAME")


def gradients(function: Callable[..., Any], *at: Any) -> list[np.ndarray]:
    """Of the sum of squares of what `function` makes, by TensorFlow."""
    places = [tf.constant(np.asarray(each)) for each in at]
    with tf.GradientTape() as tape:
        tape.watch(places)
        total = tf.reduce_sum(tf.square(function(*places)))
    return [np.asarray(each) for each in tape.gradient(total, places)]


def gradients_of_layer(layer: ExactConv2DTranspose, small: Any) -> list[np.ndarray]:
    """The same, by what Keras runs on."""
    if keras.backend.backend() == "tensorflow":

        def call(small: Any, kernel: Any) -> Any:
            with keras.StatelessScope([(layer.kernel, kernel)]):
                return layer(small)

        return gradients(call, small, layer.kernel.value)

    import jax

    def total(small: Any, kernel: Any) -> Any:
        grown, _ = layer.stateless_call([kernel], [], small)
        return (grown**2).sum()

    found = jax.jit(jax.grad(total, (0, 1)))(small, layer.kernel.value)
    return [np.asarray(each) for each in found]


@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_it_is_the_exact_transpose_of_a_same_convolution(
    kernel: int, height: int, width: int
) -> None:
    small = drawn(kernel, 2, -(-height // 2), -(-width // 2), 3)
    layer = ExactConv2DTranspose(4, (kernel, kernel), height, width, use_bias=False)

    layer.build(small.shape)

    wanted = grown_by_tensorflow(small, np.asarray(layer.kernel.value), height, width)
    np.testing.assert_allclose(layer(small), wanted, atol=1e-5)


@pytest.mark.parametrize("kernel", [(5, 5), (4, 3), (1, 2)])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_so_are_its_gradients(kernel: tuple[int, int], height: int, width: int) -> None:
    small = drawn(1, 2, -(-height // 2), -(-width // 2), 3)
    layer = ExactConv2DTranspose(4, kernel, height, width, use_bias=False)
    layer.build(small.shape)

    wanted = gradients(
        lambda small, kernel: grown_by_tensorflow(small, kernel, height, width),
        small,
        layer.kernel.value,
    )
    for ours, theirs in zip(gradients_of_layer(layer, small), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_kernel_width_and_height_may_differ_and_a_bias_is_added() -> None:
    small = drawn(0, 1, 3, 4, 2)
    layer = ExactConv2DTranspose(1, (3, 4), 5, 7, bias_initializer="ones")
    layer.build(small.shape)

    wanted = grown_by_tensorflow(small, np.asarray(layer.kernel.value), 5, 7) + 1
    np.testing.assert_allclose(layer(small), wanted, atol=1e-5)


def test_it_computes_in_bfloat16_where_that_is_wanted() -> None:
    small = drawn(0, 1, 3, 4, 2)
    layer = ExactConv2DTranspose(1, (3, 3), 5, 7, dtype="mixed_bfloat16")
    grown = layer(small)

    assert keras.backend.standardize_dtype(grown.dtype) == "bfloat16"
    wanted = grown_by_tensorflow(small, np.asarray(layer.kernel.value), 5, 7)
    np.testing.assert_allclose(np.asarray(keras.ops.cast(grown, "float32")), wanted, atol=0.05)


def test_its_shape_is_known_before_it_is_called() -> None:
    picture = ExactConv2DTranspose(3, (5, 5), 45, 7)(keras.Input((23, 4, 8)))

    assert picture.shape == (None, 45, 7, 3)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 5])
def test_any_stride_arrives_at_an_exact_size(stride: int, kernel: int) -> None:
    small = drawn(kernel, 2, -(-9 // stride), -(-11 // stride), 3)
    layer = ExactConv2DTranspose(4, (kernel, kernel), 9, 11, stride=stride, use_bias=False)
    layer.build(small.shape)

    wanted = grown_by_tensorflow(small, layer.kernel.value, 9, 11, stride)
    np.testing.assert_allclose(layer(small), wanted, atol=1e-5)


@pytest.mark.parametrize("kernel", [(3, 3), (2, 4), (1, 5)], ids=str)
@pytest.mark.parametrize("dilation", [2, 3])
def test_dilated_it_is_the_transpose_of_a_dilated_convolution(
    kernel: tuple[int, int], dilation: int
) -> None:
    small, other = drawn(0, 2, 7, 6, 3), drawn(1, 2, 7, 6, 4)
    layer = ExactConv2DTranspose(4, kernel, 7, 6, stride=1, dilation=dilation, use_bias=False)
    layer.build(small.shape)

    shrunk = tf.nn.conv2d(other, np.asarray(layer.kernel.value), 1, "SAME", dilations=dilation)

    assert np.vdot(layer(small), other) == pytest.approx(np.vdot(small, shrunk), rel=1e-4)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 1), (3, 3)])
def test_it_is_the_transpose_of_a_convolution_without_padding(kernel: int, stride: int) -> None:
    """What both make of anything has the same product with anything; beyond is the bias."""
    height, width = 11, 13
    large = drawn(1, 2, height, width, 3)
    layer = UnpaddedConv2DTranspose(3, (kernel, kernel), height, width, stride=stride)
    shrunk_shape = [(side - kernel) // stride + 1 for side in (height, width)]
    small = drawn(2, 2, *shrunk_shape, 4)
    layer.build(small.shape)
    layer.bias.assign(np.full(3, 0.5, np.float32))
    kernels = keras.ops.convert_to_numpy(layer.kernel)

    grown = keras.ops.convert_to_numpy(layer(small))
    shrunk = np.asarray(keras.ops.conv(large, kernels, strides=stride, padding="valid"))

    assert grown.shape == large.shape
    product = ((grown - 0.5) * large).sum()
    assert product == pytest.approx((small * shrunk).sum(), rel=1e-4)
    seen = [(side - 1) * stride + kernel for side in shrunk_shape]
    np.testing.assert_array_equal(grown[:, seen[0] :], 0.5)
    np.testing.assert_array_equal(grown[:, :, seen[1] :], 0.5)
