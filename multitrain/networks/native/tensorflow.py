"""The transpose of a `same` convolution on TensorFlow."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def convolve_transposed(inputs: Any, kernel: Any, target: tuple[int, int], stride: int) -> Any:
    """`(n, ceil(height / stride), ceil(width / stride), channels)` grown to `target`, in pixels.

    `kernel` is `(height, width, filters, channels)`.
    """
    shape = (tf.shape(inputs)[0], *target, kernel.shape[2])
    return tf.nn.conv2d_transpose(inputs, kernel, shape, stride, "SAME")
