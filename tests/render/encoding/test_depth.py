"""Values of more than 8 bits: black and white stay black and white on every way."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from jobs.settings.videos import FormatName
from render.clips.exporting import export_film
from render.encoding.streaming import RawVideo, encoding
from render.files.reading import FilmReader

WIDTH, HEIGHT = 64, 32
TOP = 65535
HALF = 502  # of 10 bits, between black at 64 and white at 940
CLOSE = TOP / 1023  # one level of 10 bits


def halves(level: int = TOP) -> np.ndarray:
    """Black on the left, `level` on the right."""
    frames = np.zeros((2, HEIGHT, WIDTH, 3), np.uint16)
    frames[:, :, WIDTH // 2 :] = level
    return frames


def make(film: Path, name: FormatName, frames: np.ndarray) -> Path:
    with encoding(film, RawVideo(WIDTH, HEIGHT, 3, 25, is_deep=True), name) as sink:
        sink.write(frames)
    return film


def brightness(film: Path) -> list[int]:
    """Of 10 bits, in the middle of both halves, as the file has it."""
    with av.open(str(film)) as container:
        frame = next(container.decode(video=0))
        rows = np.frombuffer(frame.planes[0], np.uint16).reshape(-1, frame.planes[0].line_size // 2)
        bits = frame.format.components[0].bits
    return [int(rows[8, x]) >> (bits - 10) for x in (WIDTH // 4, WIDTH * 3 // 4)]


def read(film: Path) -> list[int]:
    """Of 16 bits, in the middle of both halves."""
    with FilmReader([film], is_deep=True) as reader:
        return [int(reader[0][8, x, 1]) for x in (WIDTH // 4, WIDTH * 3 // 4)]


@pytest.mark.parametrize("name", ["h265-10bit", "prores", "prores-4444"])
def test_white_is_that_of_limited_range(tmp_path: Path, name: FormatName) -> None:
    """Not 943, as swscale would make it of 65535."""
    film = make(tmp_path / "film.mov", name, halves())
    assert brightness(film) == pytest.approx([64, 940], abs=1)
    assert read(film) == pytest.approx([0, TOP], abs=CLOSE * 1.3)
    grey = make(tmp_path / "grey.mov", name, halves(TOP // 2))
    assert brightness(grey) == pytest.approx([64, HALF], abs=1)
    assert read(grey) == pytest.approx([0, TOP // 2], abs=CLOSE * 1.3)


@pytest.mark.parametrize("source", ["prores", "ffv1"])
@pytest.mark.parametrize("name", ["h265-10bit", "prores-4444", "ffv1", "dpx"])
def test_exports_show_what_the_film_does(
    tmp_path: Path, source: FormatName, name: FormatName
) -> None:
    for level in (TOP, TOP // 2):
        film, output = tmp_path / "film.mov", tmp_path / f"{level}.{name}"
        export_film(make(film, source, halves(level)), name, output)
        shown = output / "frame_000000000.dpx" if name == "dpx" else output
        assert read(shown) == pytest.approx([0, level], abs=CLOSE * 1.3)
