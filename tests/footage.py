"""Videos for tests: every frame shows its number in blocks that outlive scaling and H.264."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from multitrain.families.testcard.session import Blocks

WIDTH, HEIGHT = 160, 90
Frames = Iterable[np.ndarray]


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """`(height, width, 3)` uint8."""
    frame = np.full((height, width, 3), 100, np.uint8)
    Blocks.fitting(width, height).draw(frame[None, None], number)
    return frame


def number_of(picture: Path | Image.Image, width: int = WIDTH, height: int = HEIGHT) -> int:
    """What it shows, if it has its size."""
    if isinstance(picture, Path):
        with Image.open(picture) as image:
            picture = image.convert("RGB")
    return Blocks.fitting(width, height).decode(np.asarray(picture))


def write_video(
    path: Path,
    frames: int | Frames = 60,
    *,
    fps: Fraction | int = 25,
    gop: int = 20,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Callable[[int], int] = lambda number: number,  # in frames
    options: dict[str, str] | None = None,
    prepare: Callable[[av.VideoStream], None] = lambda stream: None,
) -> Path:
    if isinstance(frames, int):
        frames = (numbered(number) for number in range(frames))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options or {"crf": "12"})
        stream.pix_fmt = pixels
        stream.gop_size = gop
        for number, pixels_of_frame in enumerate(frames):
            if not number:
                stream.height, stream.width = pixels_of_frame.shape[:2]
                prepare(stream)
            frame = av.VideoFrame.from_ndarray(pixels_of_frame, format="rgb24")
            frame.pts, frame.time_base = times(number), 1 / Fraction(fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
