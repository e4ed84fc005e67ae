"""Videos frame by frame: decoded with PyAV, which is not what made them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


class Shown(NamedTuple):
    """A frame as a viewer meets it: when, in seconds, and a digest of its pixels."""

    time: Fraction
    pixels: str


def decoded(path: Path) -> Iterator[tuple[Fraction, Picture]]:
    """Every frame of a video: when it is shown, in seconds, and its `(height, width, 3)` uint8.

    Raises av.error.FFmpegError where the file is no video.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert frame.time_base is not None
            picture: Picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            yield frame.pts * frame.time_base, picture


def digest(picture: Picture) -> str:
    """Equal for equal pixels, and for no others."""
    return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).hexdigest()


def digest_of_file(path: Path) -> str:
    """Of its bytes."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
