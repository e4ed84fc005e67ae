"""Transposed convolution to an exact size: what makes odd picture sizes come out right."""

from __future__ import annotations

from typing import Any

import keras

if keras.backend.backend() == "jax":
    from multitrain.networks.jax_transposed import convolve_transposed
else:
    from multitrain.networks.tf_transposed import convolve_transposed

STRIDE = 2


def halved(size: int, times: int) -> int:
    """`size` pixels after `times` convolutions of stride 2: halved, rounding up."""
    for _ in range(times):
        size = -(-size // STRIDE)
    return size


class ExactConv2DTranspose(keras.layers.Conv2DTranspose):  # type: ignore[misc]
    """The transpose of a stride-2 `same` convolution whose input was `height` x `width` pixels.

    Takes `(n, ceil(height / 2), ceil(width / 2), channels)`. Keras' own layer always doubles, which
    is one pixel too many where a size is odd.
    """

    def __init__(self, filters: int, kernel: tuple[int, int], height: int, width: int, **kw: Any):
        super().__init__(filters, kernel, strides=STRIDE, padding="same", **kw)
        self.target = (height, width)

    def call(self, inputs: Any) -> Any:
        kernel = keras.ops.convert_to_tensor(self.kernel)  # in the dtype that is computed in
        grown = convolve_transposed(inputs, kernel, self.target, STRIDE)
        return grown + self.bias if self.use_bias else grown

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.target, self.filters)
