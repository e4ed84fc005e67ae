from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from multitrain.networks.transposed import ExactConv2DTranspose, halved


@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.parametrize(("height", "width"), [(9, 11), (10, 12), (9, 12), (1, 2)])
def test_it_is_the_exact_transpose_of_a_same_convolution(
    kernel: int, height: int, width: int
) -> None:
    small = np.random.default_rng(kernel).normal(size=(2, -(-height // 2), -(-width // 2), 3))
    small = small.astype(np.float32)
    layer = ExactConv2DTranspose(4, (kernel, kernel), height, width, use_bias=False)

    layer.build(small.shape)

    wanted = tf.nn.conv2d_transpose(
        small, layer.kernel.value, (2, height, width, 4), strides=2, padding="SAME"
    )
    np.testing.assert_allclose(layer(small), wanted, atol=1e-5)
    np.testing.assert_allclose(layer.cropped(small), wanted, atol=1e-5)


def test_kernel_width_and_height_may_differ_and_a_bias_is_added() -> None:
    small = np.random.default_rng(0).normal(size=(1, 3, 4, 2)).astype(np.float32)
    layer = ExactConv2DTranspose(1, (3, 4), 5, 7, bias_initializer="ones")
    layer.build(small.shape)

    wanted = tf.nn.conv2d_transpose(small, layer.kernel.value, (1, 5, 7, 1), 2, "SAME") + 1
    np.testing.assert_allclose(layer(small), wanted, atol=1e-5)
    np.testing.assert_allclose(layer.cropped(small), wanted, atol=1e-5)


def test_its_shape_is_known_before_it_is_called() -> None:
    picture = ExactConv2DTranspose(3, (5, 5), 45, 7)(keras.Input((23, 4, 8)))

    assert picture.shape == (None, 45, 7, 3)


def test_sizes_halve_rounding_up() -> None:
    assert [halved(90, times) for times in range(5)] == [90, 45, 23, 12, 6]
