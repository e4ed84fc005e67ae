"""A decoder's weights as the bytes that are sent, and back. Pure.

Whoever sends uses what these bytes say, not what they were made of: so both ends compute with the
same numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]  # by name, in one order at both ends
Shapes = Mapping[str, tuple[int, ...]]

HALF, SCALE, DIFFERENCE = np.dtype("<f2"), np.dtype("<f4"), np.dtype(np.int8)
MOST_HALF = 65504.0  # the largest number of float16
MOST = 127  # steps of a difference, in a byte
EFFORT = 9  # of zlib


class DamagedWeights(ValueError):
    """Bytes that are no weights of these shapes: one clause for people."""


def most_bytes(shapes: Shapes) -> int:
    """More bytes than any such weights take, deflated or not."""
    return 2 * HALF.itemsize * sum(map(_size, shapes.values())) + 1024


def whole(weights: Weights) -> bytes:
    """All of them, as float16."""
    halves = (np.clip(each, -MOST_HALF, MOST_HALF).astype(HALF) for each in weights.values())
    return _deflated(halves)


def read_whole(payload: bytes, shapes: Shapes) -> Weights:
    """The inverse of `whole`, to float16. DamagedWeights."""
    data = _inflated(payload, HALF.itemsize * sum(map(_size, shapes.values())))
    arrays = _parts(np.frombuffer(data, HALF).astype(np.float32), shapes)
    weights = dict(zip(shapes, arrays, strict=True))
    if not all(np.isfinite(each).all() for each in weights.values()):
        raise DamagedWeights("are not finite")
    return weights


def change(before: Weights, now: Weights) -> bytes:
    """What has changed, each array in 255 steps of its own size."""
    differences = [now[name] - array for name, array in before.items()]
    scales = np.array([np.abs(each).max(initial=0.0) / MOST for each in differences], SCALE)
    steps = (
        np.round(each / scale if scale else np.zeros_like(each)).astype(DIFFERENCE)
        for each, scale in zip(differences, scales, strict=True)
    )
    return _deflated([scales, *steps])


def read_change(payload: bytes, before: Weights) -> Weights:
    """The weights that these have become, by what `change` says of them. DamagedWeights."""
    shapes = {name: array.shape for name, array in before.items()}
    of_scales = SCALE.itemsize * len(shapes)
    data = _inflated(payload, of_scales + DIFFERENCE.itemsize * sum(map(_size, shapes.values())))
    scales = np.frombuffer(data[:of_scales], SCALE)
    if not np.isfinite(scales).all():
        raise DamagedWeights("are not finite")
    steps = _parts(np.frombuffer(data[of_scales:], DIFFERENCE), shapes)
    return {
        name: before[name] + scale * each.astype(np.float32)
        for name, scale, each in zip(shapes, scales, steps, strict=True)
    }


def _parts(values: NDArray[Any], shapes: Shapes) -> Iterator[NDArray[Any]]:
    """One array after the other, of these shapes."""
    begin = 0
    for shape in shapes.values():
        yield values[begin : begin + _size(shape)].reshape(shape)
        begin += _size(shape)


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _deflated(arrays: Iterable[NDArray[Any]]) -> bytes:
    return zlib.compress(b"".join(each.tobytes() for each in arrays), EFFORT)


def _inflated(payload: bytes, wanted: int) -> bytes:
    """Just so many bytes, whatever the payload would become. DamagedWeights."""
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(payload, wanted + 1)
    except zlib.error as error:
        raise DamagedWeights(f"cannot be inflated: {error}") from error
    if len(data) != wanted or not reader.eof or reader.unused_data:
        raise DamagedWeights("are those of another network")
    return data
