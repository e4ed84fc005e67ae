"""Pictures made smaller or larger, as Pillow makes them: what shrinks sees every pixel.

Whatever filters or scales along one axis is a matrix: it has any reach, and no padding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.settings.translation import Kernel

Matrix = NDArray[np.float32]  # (to, from)

_STEEPNESS = -0.5  # of the cubic; Keys 1981, "Cubic convolution interpolation"
_LOBES = 3  # of the sinc that Lanczos' kernel has


def resized(pictures: Any, height: int, width: int, kernel: Kernel = "bicubic") -> Any:
    """Pictures `(n, ..., ..., channels)` float32, made so large."""
    rows, columns = pictures.shape[1:3]
    return through(pictures, resizing(rows, height, kernel), resizing(columns, width, kernel))


def through(pictures: Any, rows: Matrix, columns: Matrix) -> Any:
    """Each column of a picture times one matrix, each row times another."""
    tall = down(pictures, rows)
    return ops.einsum("bw,nawc->nabc", ops.convert_to_tensor(columns), tall)


def down(pictures: Any, rows: Matrix) -> Any:
    """Each column of a picture times a matrix."""
    return ops.einsum("ah,nhwc->nawc", ops.convert_to_tensor(rows), pictures)


def resizing(before: int, after: int, kernel: Kernel) -> Matrix:
    """What makes a side of `before` pixels one of `after`.

    Each new pixel is a weighted mean of those around its place, as Pillow has it: the kernel is
    stretched where pictures shrink, and of pixels beyond the edges nothing counts.
    """
    places = (np.arange(after) + 0.5) * (before / after)
    if kernel == "nearest":
        return normalized(np.arange(before) == places.astype(int)[:, None])
    reach, weigh = _KERNELS[kernel]
    stretch = max(before / after, 1.0)
    first = np.maximum(np.floor(places - reach * stretch + 0.5), 0)
    last = np.minimum(np.floor(places + reach * stretch + 0.5), before)
    pixels = np.arange(before)
    weights = weigh((pixels - places[:, None] + 0.5) / stretch)
    return normalized(np.where((pixels >= first[:, None]) & (pixels < last[:, None]), weights, 0.0))


def normalized(weights: NDArray[Any]) -> Matrix:
    """Rows whose sums are 1."""
    shares: Matrix = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def _box(x: NDArray[Any]) -> NDArray[Any]:
    return np.where((x > -0.5) & (x <= 0.5), 1.0, 0.0)


def _triangle(x: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(x)))


def _cubic(x: NDArray[Any]) -> NDArray[Any]:
    x, a = np.abs(x), _STEEPNESS
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * a
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(x: NDArray[Any]) -> NDArray[Any]:
    return np.where(np.abs(x) < _LOBES, np.sinc(x) * np.sinc(x / _LOBES), 0.0)


# How many pixels each reaches to both sides, and its weights.
_KERNELS: Mapping[str, tuple[float, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "box": (0.5, _box),
    "bilinear": (1.0, _triangle),
    "bicubic": (2.0, _cubic),
    "lanczos": (float(_LOBES), _lanczos),
}
