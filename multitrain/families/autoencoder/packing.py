"""Latents as the bytes that are sent or stored, and back. Pure, without a framework."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.families.layer import Shape

Latents = NDArray[Any]  # (height, width, channels), int8, or float16 where they are not quantised

EFFORT = 9  # of zlib


class DamagedLatents(ValueError):
    """Bytes that are no latents of that shape."""


def packed(latents: Latents) -> bytes:
    """One picture's latents, deflated channel by channel: those that are left out come last."""
    by_channel = np.ascontiguousarray(np.moveaxis(latents, -1, 0))
    if by_channel.dtype == np.float16:
        by_channel = by_channel.astype("<f2")
    return zlib.compress(by_channel.tobytes(), EFFORT)


def unpacked(data: bytes, shape: Shape, *, quantised: bool = True) -> Latents:
    """The latents that were `packed`. DamagedLatents for anything else, of any length."""
    kind = np.dtype(np.int8 if quantised else "<f2")
    wanted = shape.values * kind.itemsize
    reader = zlib.decompressobj()
    try:
        inflated = reader.decompress(data, wanted + 1)
    except zlib.error as error:
        raise DamagedLatents(f"cannot be inflated: {error}") from error
    if len(inflated) != wanted or not reader.eof or reader.unused_data:
        raise DamagedLatents(f"are not the {wanted} bytes of latents of {shape}")
    by_channel = np.frombuffer(inflated, kind).reshape(shape.channels, shape.height, shape.width)
    if not np.isfinite(by_channel).all():  # what remembers one such number is lost
        raise DamagedLatents("are not finite")
    return np.moveaxis(by_channel, 0, -1)
