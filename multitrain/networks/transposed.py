"""Transposed convolution to an exact size: what makes odd picture sizes come out right."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from multitrain.networks.spectral import SpectrallyNormalized
from multitrain.networks.taps import without_unseen

if keras.backend.backend() == "jax":
    from multitrain.networks.native.jax import convolve_transposed
else:
    from multitrain.networks.native.tensorflow import convolve_transposed

OUTPUTS = 2  # the axis of its kernel, `(height, width, filters, channels)`


class ExactConv2DTranspose(SpectrallyNormalized, keras.layers.Conv2DTranspose):  # type: ignore[misc]
    """The transpose of a `same` convolution whose input was `height` x `width` pixels.

    Takes `(n, ceil(height / stride), ceil(width / stride), channels)`. Keras' own layer always
    makes `stride` times as many pixels, which is too many where a size does not divide. With a
    dilation, the stride is 1.
    """

    def __init__(
        self,
        filters: int,
        kernel: tuple[int, int],
        height: int,
        width: int,
        *,
        stride: int = 2,
        dilation: int = 1,
        **kw: Any,
    ) -> None:
        """`kernel` is height and width."""
        super().__init__(filters, kernel, strides=stride, padding="same", **kw)
        self.target = (height, width)
        self.stride, self.dilation = stride, dilation

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """Grow by a kernel of `(height, width, filters, channels)`."""
        kernel = without_unseen(kernel, self.target, self.stride, self.dilation)
        if self.dilation > 1:
            return _convolve_dilated(inputs, kernel, self.dilation)
        return convolve_transposed(inputs, kernel, self.target, self.stride)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.target, self.filters)


class UnpaddedConv2DTranspose(SpectrallyNormalized, keras.layers.Conv2DTranspose):  # type: ignore[misc]
    """The transpose of a convolution without padding whose input was `height` x `width` pixels.

    Where that convolution's stride left pixels out at the end, no kernel reaches: these hold the
    bias alone, as with an output padding of so many pixels elsewhere. No stride is larger than the
    kernel.
    """

    def __init__(
        self,
        filters: int,
        kernel: tuple[int, int],
        height: int,
        width: int,
        *,
        stride: int,
        **kw: Any,
    ) -> None:
        """`kernel` is height and width."""
        super().__init__(filters, kernel, strides=stride, padding="valid", **kw)
        self.target, self.stride = (height, width), stride

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """Grow by a kernel of `(height, width, filters, channels)`."""
        grown = ops.conv_transpose(inputs, kernel, strides=self.stride, padding="valid")
        beyond = [
            (0, side - made) for side, made in zip(self.target, grown.shape[1:3], strict=True)
        ]
        return ops.pad(grown, [(0, 0), *beyond, (0, 0)]) if any(map(any, beyond)) else grown

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.target, self.filters)


def _convolve_dilated(inputs: Any, kernel: Any, dilation: int) -> Any:
    """The transpose of a dilated `same` convolution of stride 1: one by the turned kernel.

    Where the padding of both sides cannot be equal, the larger one is at the start.
    """
    beyond = [(side - 1) * dilation for side in kernel.shape[:2]]
    padding = [(0, 0), *((each - each // 2, each // 2) for each in beyond), (0, 0)]
    turned = ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))
    return ops.conv(ops.pad(inputs, padding), turned, padding="valid", dilation_rate=dilation)
