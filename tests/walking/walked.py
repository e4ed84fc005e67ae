"""Videos of walks, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np


def frames_of(path: object) -> np.ndarray:
    """All of a video: `(n, height, width, 3)` uint8."""

    def decoded() -> Iterator[np.ndarray]:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")

    return np.stack(list(decoded()))
