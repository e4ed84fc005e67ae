"""Transposed convolution to an exact size: what makes odd picture sizes come out right."""

from __future__ import annotations

from typing import Any

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

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
        if keras.backend.backend() != "tensorflow":
            return self.cropped(inputs)
        shape = (tf.shape(inputs)[0], *self.target, self.filters)
        grown = tf.nn.conv2d_transpose(inputs, self.kernel, shape, STRIDE, "SAME")
        return grown + self.bias if self.use_bias else grown

    def cropped(self, inputs: Any) -> Any:
        """The same for any backend; a copy of the result more, a third slower on a CPU.

        The row and column to drop are those that the forward convolution would not have seen: the
        last ones, or, where an odd size needs one pixel more padding at the front (odd kernels from
        3 on), the first ones.
        """
        rows, columns = (
            _kept(STRIDE * given, wanted, kernel)
            for given, wanted, kernel in zip(
                inputs.shape[1:3], self.target, self.kernel_size, strict=True
            )
        )
        return super().call(inputs)[:, rows, columns, :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.target, self.filters)


def _kept(doubled: int, wanted: int, kernel: int) -> slice:
    """Which of the `doubled` rows or columns are the `wanted` ones."""
    if doubled == wanted:
        return slice(None)
    pads_at_the_front = kernel % 2 == 1 and kernel > 1
    return slice(1, None) if pads_at_the_front else slice(0, wanted)
