from __future__ import annotations

import numpy as np
import pytest

from multitrain.networks.convolutions import Convolution, SeparableConvolution
from multitrain.networks.initializers import Normal


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def convolved(pictures: np.ndarray, kernel: np.ndarray, dilation: int) -> np.ndarray:
    """By the definition: zeros around, and of two middles of an even kernel the first."""
    beyond = [(side - 1) * dilation for side in kernel.shape[:2]]
    padding = [(0, 0), *((each // 2, each - each // 2) for each in beyond), (0, 0)]
    padded = np.pad(pictures, padding)
    made = np.zeros((*pictures.shape[:3], kernel.shape[3]))
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            top, left = row * dilation, column * dilation
            seen = padded[:, top : top + pictures.shape[1], left : left + pictures.shape[2]]
            made += seen @ kernel[row, column]
    return made


@pytest.mark.parametrize("kernel", [(3, 3), (2, 5), (1, 4)], ids=str)
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [2, 3])
def test_dilation_is_what_its_definition_says_and_stride_takes_every_nth_pixel(
    kernel: tuple[int, int], stride: int, dilation: int
) -> None:
    pictures = drawn(0, 2, 7, 8, 3)
    layer = Convolution(4, kernel, stride=stride, dilation=dilation, bias_initializer="ones")

    made = layer(pictures)

    weights = np.asarray(layer.kernel.value)
    wanted = convolved(pictures, weights, dilation)[:, ::stride, ::stride] + 1
    assert layer.compute_output_shape(pictures.shape) == wanted.shape
    np.testing.assert_allclose(made, wanted, atol=1e-4)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_without_dilation_it_is_an_ordinary_same_convolution(stride: int) -> None:
    pictures = drawn(0, 2, 9, 9, 3)
    layer = Convolution(4, (3, 3), stride=stride)

    made = layer(pictures)

    # `same` with a stride pads (beyond - rest) / 2 pixels, and begins there.
    start = ((-(-9 // stride) - 1) * stride + 3 - 9) // 2
    wanted = convolved(pictures, np.asarray(layer.kernel.value), 1)[:, 1 - start :: stride]
    np.testing.assert_allclose(made, wanted[:, :, 1 - start :: stride], atol=1e-4)


def separable(stddev: float = 0.02, **kw: object) -> SeparableConvolution:
    return SeparableConvolution(4, (3, 2), stddev, (1, 2), **kw)


@pytest.mark.parametrize("dilation", [1, 2])
def test_separable_is_a_convolution_whose_kernel_is_a_product(dilation: int) -> None:
    pictures = drawn(0, 2, 7, 8, 3)
    layer = separable(dilation=dilation)

    made = layer(pictures)

    mixing, each = np.asarray(layer.kernel.value), np.asarray(layer.depthwise.value)
    assert mixing.shape == (1, 1, 3, 4)
    assert each.shape == (3, 2, 3, 1)
    np.testing.assert_allclose(made, convolved(pictures, each * mixing, dilation), atol=1e-4)


def test_separable_shrinks_by_its_stride() -> None:
    pictures = drawn(0, 2, 7, 8, 3)
    plain, dilated = separable(stride=3), separable(stride=3, dilation=2)

    assert plain(pictures).shape == dilated(pictures).shape == (2, 3, 3, 4)
    assert plain.compute_output_shape((2, 7, 8, 3)) == (2, 3, 3, 4)


def test_separable_starts_with_the_deviation_of_a_convolution() -> None:
    pictures = drawn(0, 4, 16, 16, 64)
    start = Normal(0.02, 3, truncated=True)
    plain = Convolution(64, (5, 5), kernel_initializer=start)
    separated = SeparableConvolution(64, (5, 5), 0.02, (1, 2))

    made = [np.asarray(layer(pictures)) for layer in (plain, separated)]
    spread = [float(each[:, 4:-4, 4:-4].std()) for each in made]

    assert spread[1] == pytest.approx(spread[0], rel=0.2)
