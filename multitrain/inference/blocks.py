"""How many frames a network makes at once."""

from __future__ import annotations

from collections.abc import Iterable

from jobs.families.layer import Layer

BLOCK_BYTES = 64 * 2**20  # of frames that are made at once; as many are written meanwhile
DEVICE_BYTES = 64 * 2**20  # of the widest layer's outputs for them: about a second on CPUs
VALUE_BYTES = 4


def frames_at_once(layers: Iterable[Layer], samples: int, frame_bytes: int, frames: int) -> int:
    """At least 1, at most `frames`: by how much they take of the device, and here.

    `samples` is how many pictures a frame has, `frame_bytes` its size.
    """
    widest = max(layer.widest for layer in layers) * VALUE_BYTES * samples
    return max(1, min(DEVICE_BYTES // widest, BLOCK_BYTES // frame_bytes, frames))
