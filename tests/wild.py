"""Videos as they are in the wild: turned, cut by edit lists, put together, with alpha.

Each is made by ffmpeg, and small.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from render.encoding import ffmpeg
from tests.render.numbered import picture

WIDTH, HEIGHT = 64, 32
COLOURS = {"R": (200, 0, 0), "G": (0, 200, 0), "B": (0, 0, 200), "W": (220, 220, 220)}
HIDDEN, SHOWN = (255, 0, 255), (0, 200, 0)  # under transparent pixels, and under opaque ones
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "8")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3")

# The eight display matrices, by ffmpeg's options.
TURNS = [
    (*(("-display_rotation", angle) if angle else ()), *mirror)
    for angle in ("", "90", "180", "270")
    for mirror in ((), ("-display_hflip",))
]


def call(*arguments: object) -> None:
    ffmpeg.run([ffmpeg.find("hap"), "-y", "-v", "error", *map(str, arguments)])


def encoded(path: Path, frames: np.ndarray, *encoder: object, fps: object = 25) -> Path:
    """`frames`: `(n, height, width, 3 or 4)` uint8."""
    raw = path.with_name(f"{path.name}.raw")
    frames.tofile(raw)
    height, width, channels = frames.shape[1:]
    pixels = {3: "rgb24", 4: "rgba"}[channels]
    reading = ("-f", "rawvideo", "-pixel_format", pixels, "-video_size", f"{width}x{height}")
    call(*reading, "-framerate", fps, "-i", raw, *encoder, path)
    raw.unlink()
    return path


def numbered(path: Path, numbers: Sequence[int], *encoder: object, size=(WIDTH, HEIGHT)) -> Path:
    """A film that shows these numbers."""
    return encoded(path, np.stack([picture(number, *size) for number in numbers]), *encoder)


def quadrants(path: Path, *encoder: object, frames: int = 4) -> Path:
    """A colour in each corner."""
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    high, wide = HEIGHT // 2, WIDTH // 2
    for number, colour in enumerate(COLOURS.values()):
        row, column = divmod(number, 2)
        frame[row * high : (row + 1) * high, column * wide : (column + 1) * wide] = colour
    return encoded(path, np.stack([frame] * frames), *encoder)


def corners(shown: np.ndarray) -> str:
    """The colours of what is shown, from the top left to the bottom right."""
    height, width = shown.shape[:2]
    found = ""
    for y, x in ((1, 1), (1, 3), (3, 1), (3, 3)):
        colour = shown[y * height // 4, x * width // 4, :3].astype(int)
        found += min(COLOURS, key=lambda name: abs(colour - COLOURS[name]).sum())
    return found


def half_clear(path: Path, *encoder: object, frames: int = 4) -> Path:
    """Opaque on the left; on the right transparent, with a hidden colour."""
    frame = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    frame[:, : WIDTH // 2] = (*SHOWN, 255)
    frame[:, WIDTH // 2 :] = (*HIDDEN, 0)
    return encoded(path, np.stack([frame] * frames), *encoder)


def remuxed(source: Path, target: Path, *options: object, behind: Sequence[object] = ()) -> Path:
    """Its packets in another file; `options` are for reading."""
    call(*options, "-i", source, *behind, "-c", "copy", target)
    return target


def put_together(target: Path, *parts: Path) -> Path:
    """As `cat` does."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


def as_player(film: Path) -> np.ndarray:
    """Its first frame, `(height, width, 3)`, as ffmpeg shows it."""
    from PIL import Image

    target = film.with_name(f"{film.name}.first.png")
    call("-i", film, "-frames:v", 1, target)
    with Image.open(target) as image:
        return np.asarray(image.convert("RGB"))
