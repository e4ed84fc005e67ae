"""Posters and contact sheets."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from render.clips.posters import ContactSheet, draw_contact_sheet, draw_poster


@pytest.mark.parametrize(
    ("frames", "moments"),
    [
        (1, [0]),
        (2, [0, 1]),
        (16, list(range(16))),
        (151, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150]),
    ],
)
def test_moments_go_evenly_from_the_first_frame_to_the_last(
    frames: int, moments: list[int]
) -> None:
    assert ContactSheet(frames, 60, 64, 48).moments == moments


def test_each_moment_stands_in_its_place() -> None:
    """Frames that are one grey each: where a moment is, that grey is."""
    sheet = ContactSheet(frames=23, fps=10, width=64, height=48)
    asked: list[int] = []

    def frame_at(number: int) -> np.ndarray:
        asked.append(number)
        return np.full((48, 64, 3), 10 * number + 20, np.uint8)

    canvas = draw_contact_sheet(sheet, frame_at)
    assert canvas.size == sheet.size
    assert asked == sheet.moments
    width, height = sheet.cell
    assert (width, height) == (160, 120)
    for place, number in enumerate(sheet.moments):
        x, y = sheet.corner(place)
        for inside in ((x, y), (x + width - 1, y + height - 1)):
            assert canvas.getpixel(inside) == (10 * number + 20,) * 3
        assert canvas.getpixel((x - 1, y)) == (16, 16, 16)


@pytest.mark.parametrize(
    ("frame", "fps", "label"), [(0, 60, "0:00.00"), (3630, 60, "1:00.50"), (100, 30, "0:03.33")]
)
def test_moments_are_told_in_time(frame: int, fps: int, label: str) -> None:
    assert ContactSheet(5000, fps, 64, 48).label(frame) == label


def test_large_frames_shrink_and_few_take_little_room() -> None:
    sheet = ContactSheet(frames=2, fps=60, width=3840, height=2160)
    assert sheet.cell == (480, 270)
    assert sheet.size == (6 + 2 * 486, 6 + 296)


def test_alpha_is_shown_over_black() -> None:
    frame = np.zeros((2, 2, 4), np.uint8)
    frame[..., 0] = 200
    frame[0, :, 3] = 255
    poster = draw_poster(frame)
    assert poster.mode == "RGB"
    assert np.array_equal(np.asarray(poster)[..., 0], [[200, 200], [0, 0]])
    assert Image.fromarray(frame[..., :3]).mode == draw_poster(frame[..., :3]).mode
