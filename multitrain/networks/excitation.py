"""Squeezing maps to a few pixels, so that they can excite others: skip-layer excitation.

Liu et al. 2021, section 3.1, https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray


def squeezed(maps: Any, side: int) -> Any:
    """The means of `side` x `side` equal parts of maps `(n, height, width, channels)`.

    Parts overlap by a row or a column where the map's size does not divide, and repeat pixels where
    it is smaller.
    """
    height, width = maps.shape[1:3]
    rows, columns = (
        ops.cast(ops.convert_to_tensor(_means(length, side)), maps.dtype)
        for length in (height, width)
    )
    return ops.einsum("bw,nawc->nabc", columns, ops.einsum("ah,nhwc->nawc", rows, maps))


def _means(length: int, parts: int) -> NDArray[np.float32]:
    """A row for each part of `length` values: their shares in its mean."""
    shares = np.zeros((parts, length), np.float32)
    for part in range(parts):
        start, stop = part * length // parts, -(-(part + 1) * length // parts)
        shares[part, start:stop] = 1.0 / (stop - start)
    return shares
