"""Layers that enlarge without a transposed convolution, against its checkerboards.

Odena, Dumoulin and Olah 2016, https://distill.pub/2016/deconv-checkerboard. All arrive at an exact
size: they make `stride` times as many pixels, and what is too much at the right and at the bottom
is cut off.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from multitrain.networks.initializers import Normal
from multitrain.networks.spectral import SpectrallyNormalized
from multitrain.networks.taps import without_unseen


class EnlargedConvolution(SpectrallyNormalized, keras.layers.Conv2D):  # type: ignore[misc]
    """Enlarges `(n, ceil(height / stride), ceil(width / stride), channels)`, and then convolves.

    Beyond its edges, the enlarged picture is its own reflection.
    """

    def __init__(
        self,
        filters: int,
        kernel: tuple[int, int],
        height: int,
        width: int,
        *,
        stride: int,
        bilinear: bool,
        dilation: int = 1,
        **kw: Any,
    ) -> None:
        """`kernel` is height and width, and each of its halves, dilated, is smaller than these."""
        super().__init__(filters, kernel, padding="same", **kw)
        self.target = (height, width)
        self.stride, self.bilinear, self.dilation = stride, bilinear, dilation

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """Enlarge, then convolve with a kernel of `(height, width, channels, filters)`."""
        enlarge = bilinear if self.bilinear else nearest
        beyond = [(side - 1) * self.dilation for side in kernel.shape[:2]]
        padding = [(0, 0), *((each // 2, each - each // 2) for each in beyond), (0, 0)]
        padded = ops.pad(cropped(enlarge(inputs, self.stride), self.target), padding, "reflect")
        return ops.conv(padded, kernel, padding="valid", dilation_rate=self.dilation)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.target, self.filters)


class SubpixelConvolution(SpectrallyNormalized, keras.layers.Conv2D):  # type: ignore[misc]
    """Convolves small pictures to `stride` x `stride` values for each channel, which become pixels.

    Shi et al. 2016, https://arxiv.org/abs/1609.05158. All pixels that come of one start with the
    same weights, so that it begins without checkerboards (Aitken et al. 2017,
    https://arxiv.org/abs/1707.02937).
    """

    def __init__(
        self,
        filters: int,
        kernel: tuple[int, int],
        height: int,
        width: int,
        *,
        stride: int,
        kernel_initializer: Normal,
        dilation: int = 1,
        **kw: Any,
    ) -> None:
        """`kernel` is height and width."""
        start = Repeated(kernel_initializer, stride**2)
        super().__init__(
            filters * stride**2, kernel, padding="same", kernel_initializer=start, **kw
        )
        self.target = (height, width)
        self.stride, self.dilation = stride, dilation

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """Convolve with a kernel of `(height, width, channels, stride * stride * filters)`."""
        kernel = without_unseen(kernel, inputs.shape[1:3], dilation=self.dilation)
        return ops.conv(inputs, kernel, padding="same", dilation_rate=self.dilation)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        values = super().call(inputs, training=training)
        return cropped(depth_to_space(values, self.stride), self.target)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.target, self.filters // self.stride**2)


class FusedConvolution(SpectrallyNormalized, keras.layers.Conv2D):  # type: ignore[misc]
    """Enlarges twice by nearest neighbour and convolves by 3x3 values, both in one convolution.

    Of the nine pixels of an enlarged picture that a kernel meets, several are the same pixel of the
    small one; for each of the four places that an output pixel can have within its square, the
    kernel comes down to 2x2 values (Shi et al. 2016, "Is the deconvolution layer the same as a
    convolutional layer?", https://arxiv.org/abs/1609.07009). So less than half the products are
    computed, and nothing is enlarged beforehand. Beyond its edges, the small picture goes on as it
    is.
    """

    def __init__(self, filters: int, height: int, width: int, **kw: Any) -> None:
        super().__init__(filters, (3, 3), padding="same", **kw)
        self.target = (height, width)

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """Enlarge and convolve with a kernel of `(3, 3, channels, filters)`."""
        padded = ops.pad(inputs, [(0, 0), (1, 1), (1, 1), (0, 0)], "symmetric")
        squares = depth_to_space(ops.conv(padded, fused(kernel), padding="valid"), 2)
        # The first square lies half beyond the edge.
        return squares[:, 1 : 1 + self.target[0], 1 : 1 + self.target[1]]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.target, self.filters)


def fused(kernel: Any) -> Any:
    """A kernel of `(3, 3, channels, filters)` as one of `(2, 2, channels, 4 * filters)`.

    It makes four pixels at once: those between the centres of 2x2 pixels of the small picture.
    """
    channels, filters = kernel.shape[2:]
    for axis in (0, 1):
        first, second, third = ops.split(kernel, 3, axis=axis)
        before = ops.concatenate([first + second, third], axis=axis)
        after = ops.concatenate([first, second + third], axis=axis)
        kernel = ops.stack([before, after], axis=-2)
    return ops.reshape(kernel, (2, 2, channels, 4 * filters))


class Repeated(keras.initializers.Initializer):  # type: ignore[misc]
    """The same weights for `times` groups of filters."""

    def __init__(self, initializer: Normal, times: int) -> None:
        self.initializer, self.times = initializer, times

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        group = (*shape[:-1], shape[-1] // self.times)
        return ops.tile(self.initializer(group, dtype), (1,) * len(group[:-1]) + (self.times,))


class Bilinear(keras.layers.Layer):  # type: ignore[misc]
    """Makes `(n, height, width, channels)` so many times as large, as `bilinear` does."""

    def __init__(self, times: int = 2, **kw: Any) -> None:
        super().__init__(**kw)
        self.times = times

    def call(self, inputs: Any) -> Any:
        return bilinear(inputs, self.times)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        return (batch, height and self.times * height, width and self.times * width, channels)


def nearest(pictures: Any, times: int) -> Any:
    """Each pixel of `(n, height, width, channels)` as a square of `times` x `times`."""
    return ops.repeat(ops.repeat(pictures, times, axis=1), times, axis=2)


def bilinear(pictures: Any, times: int) -> Any:
    """`(n, height, width, channels)`, `times` as large, between the centres of the pixels.

    Beyond the outermost ones, they go on as they are.
    """
    return _interpolated(_interpolated(pictures, times, axis=1), times, axis=2)


def _interpolated(pictures: Any, times: int, axis: int) -> Any:
    """A pixel becomes `times`, each of which lies between it and one of its neighbours."""
    if times == 1:
        return pictures
    side = pictures.shape[axis]
    padding = [(1, 1) if each == axis else (0, 0) for each in range(len(pictures.shape))]
    padded = ops.pad(pictures, padding, "symmetric")
    before, after = (
        padded[(slice(None),) * axis + (slice(start, start + side),)] for start in (0, 2)
    )
    phases = []
    for phase in range(times):
        offset = (phase + 0.5) / times - 0.5  # from the pixel's centre, in pixels
        neighbour = before if offset < 0 else after
        phases.append(pictures * (1 - abs(offset)) + neighbour * abs(offset))
    shape = list(pictures.shape)
    shape[0], shape[axis] = -1, side * times
    return ops.reshape(ops.stack(phases, axis=axis + 1), shape)


def depth_to_space(values: Any, times: int) -> Any:
    """`(n, height, width, times * times * channels)` to `times` as many rows and columns."""
    _, height, width, channels = values.shape
    channels //= times**2
    squares = ops.reshape(values, (-1, height, width, times, times, channels))
    rows = ops.transpose(squares, (0, 1, 3, 2, 4, 5))
    return ops.reshape(rows, (-1, height * times, width * times, channels))


def space_to_depth(pictures: Any, times: int) -> Any:
    """The inverse of `depth_to_space`: squares of pixels, each in one place."""
    _, height, width, channels = pictures.shape
    low = height // times, width // times
    squares = ops.reshape(pictures, (-1, low[0], times, low[1], times, channels))
    together = ops.transpose(squares, (0, 1, 3, 2, 4, 5))
    return ops.reshape(together, (-1, *low, times * times * channels))


def cropped(pictures: Any, size: tuple[int, int]) -> Any:
    """The upper left `size`, height and width, of `(n, ..., ..., channels)`."""
    height, width = size
    return pictures[:, :height, :width]
