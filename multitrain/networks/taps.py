"""Which values of a kernel ever meet a pixel: in small pictures, some lie in the padding alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray


def without_unseen(kernel: Any, size: tuple[int, int], stride: int = 1, dilation: int = 1) -> Any:
    """`kernel`, `(height, width, ...)`, with 0 for what meets no pixel in a `same` convolution.

    `size` is the height and width of the pictures. The result of the convolution is the same. But
    oneDNN leaves the gradients of these values uninitialized, which would train them to infinity.
    """
    rows, columns = (
        _seen(side, window, stride, dilation)
        for side, window in zip(size, kernel.shape[:2], strict=True)
    )
    seen = np.logical_and.outer(rows, columns)
    if seen.all():
        return kernel
    mask = seen.reshape(*seen.shape, *(1 for _ in kernel.shape[2:]))
    return ops.where(mask, kernel, ops.zeros_like(kernel))


def _seen(side: int, window: int, stride: int, dilation: int) -> NDArray[np.bool_]:
    """Which values of one dimension meet a pixel: `(window,)`.

    The padding is TensorFlow's, the larger half at the end.
    """
    starts = np.arange(-(-side // stride)) * stride
    padding = max(int(starts[-1]) + (window - 1) * dilation + 1 - side, 0)
    places = starts - padding // 2 + np.arange(window)[:, None] * dilation
    meets = np.logical_and(places >= 0, places < side)
    return np.array([row.any() for row in meets])
