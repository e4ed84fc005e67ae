"""Convolutions that shrink by their stride, rounding up: `same` padding, any dilation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from multitrain.networks.initializers import Normal
from multitrain.networks.spectral import EPSILON, SpectrallyNormalized
from multitrain.networks.taps import without_unseen


class Convolution(SpectrallyNormalized, keras.layers.Conv2D):  # type: ignore[misc]
    """A convolution that makes `(n, ceil(height / stride), ceil(width / stride), filters)`.

    No engine convolves with both a stride and a dilation: then, the convolution has stride 1, and
    every `stride`-th pixel of its output is taken.
    """

    def __init__(
        self,
        filters: int,
        kernel: tuple[int, int],
        *,
        stride: int = 1,
        dilation: int = 1,
        **kw: Any,
    ) -> None:
        """`kernel` is height and width."""
        super().__init__(filters, kernel, padding="same", **kw)
        self.stride, self.dilation = stride, dilation

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """Convolve with a kernel of `(height, width, channels, filters)`."""
        kernel = without_unseen(kernel, inputs.shape[1:3], *self._steps)
        if self.dilation == 1:
            return ops.conv(inputs, kernel, strides=self.stride, padding="same")
        dilated = ops.conv(inputs, kernel, padding="same", dilation_rate=self.dilation)
        return every(dilated, self.stride)

    @property
    def _steps(self) -> tuple[int, int]:
        """Stride and dilation of the convolution itself: with both, the stride comes afterwards."""
        return (1 if self.dilation > 1 else self.stride), self.dilation

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, _ = input_shape
        return (batch, _shrunk(height, self.stride), _shrunk(width, self.stride), self.filters)


class PaddedConvolution(SpectrallyNormalized, keras.layers.Conv2D):  # type: ignore[misc]
    """A convolution of pictures with so many more pixels, zeros, `beyond` all sides.

    It makes `(n, (height - kernel + 2 * beyond) // stride + 1, ..., filters)`.
    """

    def __init__(
        self,
        filters: int,
        kernel: tuple[int, int],
        *,
        stride: int = 1,
        beyond: int = 1,
        **kw: Any,
    ) -> None:
        """`kernel` is height and width."""
        super().__init__(filters, kernel, strides=stride, padding="valid", **kw)
        self.beyond = beyond

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """Convolve with a kernel of `(height, width, channels, filters)`."""
        if self.beyond:
            both = (self.beyond, self.beyond)
            inputs = ops.pad(inputs, [(0, 0), both, both, (0, 0)])
        return ops.conv(inputs, kernel, strides=self.strides, padding="valid")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sides, channels = input_shape
        padded = (None if side is None else side + 2 * self.beyond for side in sides)
        shape: tuple[int | None, ...] = super().compute_output_shape((batch, *padded, channels))
        return shape


class SeparableConvolution(Convolution):
    """Each channel convolved by itself, and then all of them mixed, pixel by pixel.

    Chollet 2017, https://arxiv.org/abs/1610.02357. Weights are drawn so that the outputs have the
    deviation of one ordinary convolution whose weights have `stddev`.
    """

    def __init__(
        self,
        filters: int,
        kernel: tuple[int, int],
        stddev: float,
        seeds: tuple[int, int],
        **kw: Any,
    ) -> None:
        """`seeds`: for the weights of the single channels, and for those that mix."""
        self._area = kernel[0] * kernel[1]
        mixing = Normal(stddev * self._area**0.5, seeds[1], truncated=True)
        super().__init__(filters, (1, 1), kernel_initializer=mixing, **kw)
        self._window, self._seed = kernel, seeds[0]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.depthwise = self.add_weight(
            shape=(*self._window, input_shape[-1], 1),
            initializer=Normal(self._area**-0.5, self._seed, truncated=True),
            name="depthwise",
        )

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """`kernel` is the one that mixes, `(1, 1, channels, filters)`."""
        depthwise = ops.convert_to_tensor(self.depthwise)
        if self.spectral is not None:
            depthwise = _unit_depthwise(depthwise)
        depthwise = ops.cast(depthwise, self.compute_dtype)
        depthwise = without_unseen(depthwise, inputs.shape[1:3], *self._steps)
        if self.dilation == 1:
            seen = ops.depthwise_conv(inputs, depthwise, strides=self.stride, padding="same")
        else:
            seen = ops.depthwise_conv(
                inputs, depthwise, padding="same", dilation_rate=self.dilation
            )
            seen = every(seen, self.stride)
        return ops.conv(seen, kernel, padding="same")


def every(pictures: Any, stride: int) -> Any:
    """Each `stride`-th pixel of `(n, height, width, channels)`, from the first one on."""
    return pictures[:, ::stride, ::stride]


def _unit_depthwise(kernel: Any) -> Any:
    """The kernel divided by its spectral norm: it is block-diagonal, so by its longest channel."""
    lengths = ops.sqrt(ops.sum(ops.square(kernel), axis=(0, 1, 3)) + EPSILON)
    return kernel / ops.max(lengths)


def _shrunk(side: int | None, stride: int) -> int | None:
    return None if side is None else -(-side // stride)
