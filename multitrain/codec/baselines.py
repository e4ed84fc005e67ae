"""What plain codecs make of frames, and how many bytes they take for it: what others are beside.

Each returns all frames as they come back, and the bytes of what was stored, headers included.
"""

from __future__ import annotations

import io
import tempfile
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.settings.kinds import Preset
from render.encoding.formats import Quality
from render.encoding.streaming import RawVideo, encoding
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order

Frames = NDArray[np.uint8]  # (n, height, width, 3)

EFFORT = 9  # of zlib
PRESET: Preset = "veryfast"


class Stored(NamedTuple):
    """Frames as they come back, and the bytes that they took in between."""

    frames: Frames
    bytes: int


def identity(frames: Frames, _fps: Fraction, _setting: int) -> Stored:
    """As they are."""
    return Stored(frames, frames.nbytes)


def top_bits(frames: Frames, _fps: Fraction, bits: int) -> Stored:
    """Only the first `bits` of each value, deflated; what is left out comes back as its middle."""
    left_out = np.uint8(8 - bits)
    kept = frames >> left_out
    size = sum(len(zlib.compress(each.tobytes(), EFFORT)) for each in kept)
    return Stored((kept << left_out) + np.uint8(2 ** (7 - bits)), size)


def resized(frames: Frames, _fps: Fraction, parts: int) -> Stored:
    """Each side so many times shorter and bicubically back, as Pillow does it; stored plainly."""
    _, height, width, _ = frames.shape
    small = max(1, round(width / parts)), max(1, round(height / parts))
    back = np.empty_like(frames)
    for number, frame in enumerate(frames):
        less = Image.fromarray(frame).resize(small, Image.Resampling.BICUBIC)
        back[number] = np.asarray(less.resize((width, height), Image.Resampling.BICUBIC))
    return Stored(back, len(frames) * small[0] * small[1] * frames.shape[-1])


def jpeg(frames: Frames, _fps: Fraction, quality: int) -> Stored:
    """Each frame as a JPEG file."""
    size, back = 0, np.empty_like(frames)
    for number, frame in enumerate(frames):
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=quality, optimize=True)
        size += file.tell()
        with Image.open(file) as image:
            back[number] = np.asarray(image.convert("RGB"))
    return Stored(back, size)


def x264(frames: Frames, fps: Fraction, crf: int) -> Stored:
    """All frames as one H.264 file, by FFmpeg. MultitrainError where that fails."""
    _, height, width, channels = frames.shape
    with tempfile.TemporaryDirectory(prefix="multitrain-") as folder:
        path = Path(folder, "video.mp4")
        raw = RawVideo(width, height, channels, fps)
        with encoding(path, raw, "h264", quality=Quality(crf=crf, preset=PRESET)) as sink:
            sink.write(frames)
        with FilmReader([Film.look(path)]) as reader:
            back = np.stack([frame[:height, :width] for frame in frames_in_order(reader)])
        return Stored(back, path.stat().st_size)


class Baseline(NamedTuple):
    """A codec, what its setting is called, and settings from many bytes to few."""

    codec: str
    setting: str
    settings: tuple[int, ...]
    store: Callable[[Frames, Fraction, int], Stored]  # of frames, of which so many are in a second


BASELINES = (
    Baseline("identity", "", (0,), identity),
    Baseline("top bits", "bits", (6, 4, 3, 2), top_bits),
    Baseline("resized", "1 /", (2, 4, 8), resized),
    Baseline("jpeg", "quality", (80, 40, 20, 10, 5), jpeg),
    Baseline("x264", "crf", (24, 32, 40, 48), x264),
)
