from __future__ import annotations

import numpy as np
import pytest

from multitrain.networks.initializers import Normal
from multitrain.networks.upsampling import (
    EnlargedConvolution,
    FusedConvolution,
    SubpixelConvolution,
    bilinear,
    depth_to_space,
    fused,
    nearest,
)


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_nearest_repeats_pixels() -> None:
    picture = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)[None, :, :, None]

    wanted = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    np.testing.assert_array_equal(np.asarray(nearest(picture, 2))[0, :, :, 0], wanted)


def test_bilinear_goes_between_the_centres_of_pixels() -> None:
    row = np.array([0.0, 8.0, 4.0], np.float32)[None, None, :, None]

    def made(times: int) -> np.ndarray:
        return np.asarray(bilinear(row, times))[0, 0, :, 0]

    np.testing.assert_allclose(made(2), [0, 2, 6, 7, 5, 4], atol=1e-6)
    np.testing.assert_allclose(made(3), [0, 0, 8 / 3, 16 / 3, 8, 20 / 3, 16 / 3, 4, 4], atol=1e-6)
    np.testing.assert_array_equal(made(1), row[0, 0, :, 0])


def test_bilinear_reproduces_a_slope_within() -> None:
    y, x = np.mgrid[:5, :6].astype(np.float32)
    picture = (2 * x + 3 * y)[None, :, :, None]

    made = np.asarray(bilinear(picture, 4))[0, :, :, 0]

    fine_y, fine_x = (np.mgrid[:20, :24] + 0.5) / 4 - 0.5
    np.testing.assert_allclose(made[2:-2, 2:-2], (2 * fine_x + 3 * fine_y)[2:-2, 2:-2], atol=1e-5)


def test_depth_to_space_lays_groups_of_channels_out_as_squares() -> None:
    values = np.arange(8, dtype=np.float32).reshape(1, 1, 1, 8)

    made = np.asarray(depth_to_space(values, 2))

    assert made.shape == (1, 2, 2, 2)
    np.testing.assert_array_equal(made[0, :, :, 0], [[0, 2], [4, 6]])


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("dilation", [1, 2])
def test_upconv_makes_of_a_constant_a_constant(smooth: bool, dilation: int) -> None:
    layer = EnlargedConvolution(4, (3, 4), 9, 11, stride=2, bilinear=smooth, dilation=dilation)

    made = np.asarray(layer(np.ones((1, 5, 6, 2), np.float32)))

    assert made.shape == layer.compute_output_shape((1, 5, 6, 2)) == (1, 9, 11, 4)
    wanted = np.asarray(layer.kernel.value).sum((0, 1, 2))
    np.testing.assert_allclose(made, np.broadcast_to(wanted, made.shape), atol=1e-5)


def test_upconv_convolves_what_it_has_enlarged_and_cut_off() -> None:
    small = drawn(0, 1, 3, 4, 2)
    layer = EnlargedConvolution(2, (1, 1), 8, 11, stride=3, bilinear=False)

    made = layer(small)

    wanted = np.asarray(nearest(small, 3))[:, :8, :11] @ np.asarray(layer.kernel.value)[0, 0]
    np.testing.assert_allclose(made, wanted, atol=1e-5)


def test_upconv_reflects_at_the_edges() -> None:
    row = np.array([1.0, 2.0, 4.0, 8.0], np.float32)[None, None, :, None]
    layer = EnlargedConvolution(1, (1, 3), 1, 4, stride=1, bilinear=False)
    layer.build(row.shape)
    layer.kernel.assign(np.array([1.0, 0.0, 10.0], np.float32).reshape(1, 3, 1, 1))

    made = np.asarray(layer(row))[0, 0, :, 0]

    np.testing.assert_allclose(made, [2 + 20, 1 + 40, 2 + 80, 4 + 40])


def subpixel(stride: int, size: tuple[int, int]) -> SubpixelConvolution:
    return SubpixelConvolution(3, (3, 3), *size, stride=stride, kernel_initializer=Normal(1.0, 5))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_subpixel_starts_without_checkerboards(stride: int) -> None:
    small = drawn(0, 2, 4, 4, 2)

    made = np.asarray(subpixel(stride, (4 * stride, 4 * stride))(small))

    # All pixels that come of one are alike.
    np.testing.assert_allclose(made, nearest(made[:, ::stride, ::stride], stride), atol=1e-5)
    assert np.std(made[:, ::stride, ::stride, 0]) > 0.1


def test_subpixel_arrives_at_an_exact_size_and_has_weights_for_each_pixel() -> None:
    layer = subpixel(2, (7, 9))

    made = layer(drawn(0, 2, 4, 5, 2))

    assert made.shape == layer.compute_output_shape((2, 4, 5, 2)) == (2, 7, 9, 3)
    assert layer.kernel.shape == (3, 3, 2, 4 * 3)


@pytest.mark.parametrize(("height", "width"), [(8, 10), (7, 9), (2, 1)])
def test_a_fused_convolution_is_one_of_the_enlarged_picture(height: int, width: int) -> None:
    small = drawn(0, 2, -(-height // 2), -(-width // 2), 3)
    layer = FusedConvolution(5, height, width, kernel_initializer=Normal(1.0, 0))

    made = np.asarray(layer(small))

    assert made.shape == layer.compute_output_shape(small.shape) == (2, height, width, 5)
    edged = np.pad(small, [(0, 0), (1, 1), (1, 1), (0, 0)], "edge")
    large = np.asarray(nearest(edged, 2))[:, 1:-1, 1:-1]  # one more pixel around the whole
    kernel = np.asarray(layer.kernel.value)
    wanted = sum(
        large[:, row : row + height, column : column + width] @ kernel[row, column]
        for row in range(3)
        for column in range(3)
    )
    np.testing.assert_allclose(made - np.asarray(layer.bias), wanted, atol=1e-4)


def test_a_fused_kernel_keeps_the_sum_of_its_values() -> None:
    kernel = drawn(1, 3, 3, 2, 5)

    made = np.asarray(fused(kernel)).reshape(2, 2, 2, 4, 5)

    for place in range(4):
        np.testing.assert_allclose(made[..., place, :].sum((0, 1)), kernel.sum((0, 1)), atol=1e-5)
