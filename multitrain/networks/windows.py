"""Parts of maps or pictures, cut out where each one's own chance says."""

from __future__ import annotations

from typing import Any

from keras import ops


def cut(maps: Any, starts: Any, size: tuple[int, int]) -> Any:
    """`size` pixels, height and width, of maps `(n, height, width, channels)`.

    `starts`, `(n, 2)` int32, is the row and column where each map's part begins. Parts are products
    with zeros and ones: neither these nor their gradients gather or scatter, which is slow on GPUs,
    and there not always exact.
    """
    rows, columns = (
        _chosen(starts[:, axis], size[axis], maps.shape[axis + 1], maps.dtype) for axis in (0, 1)
    )
    return ops.einsum("nbw,nawc->nabc", columns, ops.einsum("nah,nhwc->nawc", rows, maps))


def _chosen(starts: Any, count: int, side: int, dtype: Any) -> Any:
    """`(n, count, side)`: 1 where the place of a part is that of the whole, else 0."""
    places = starts[:, None] + ops.arange(count, dtype="int32")[None]
    return ops.cast(ops.equal(places[..., None], ops.arange(side, dtype="int32")), dtype)
