"""Checkerboards in dB: about 0 for what has none, more for stronger ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from multitrain.datasets.drawn.styles import STYLES, Drawing
from render.clips.checkerboard import checkerboard, grid_powers, in_decibels, luma

SIZES = [(54, 96), (37, 45), (64, 64)]  # height, width; some are no multiples of 4


def noise(slope, height, width, count=16, seed=0):
    """Noise whose power falls with the frequency to the power of `slope`, in levels."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(2 * height)[:, None], np.fft.fftfreq(2 * width))
    frequency[0, 0] = 1
    white = np.fft.fft2(rng.normal(size=(count, 2 * height, 2 * width)))
    cut = np.fft.ifft2(white * frequency ** (-slope / 2)).real[:, :height, :width]
    return 128 + 40 * cut / cut.std()


def grid(kind, height, width):
    """+1 and -1 by turns: of 2 pixels along a row, of 2 in both, of 4 along a column."""
    down, across = np.mgrid[:height, :width]
    turns = {"columns": across, "squares": down + across, "rows of 4": down // 2}
    return 1.0 - 2 * (turns[kind] % 2)


@pytest.mark.parametrize(("slope", "size"), [*product(range(5), SIZES)])
def test_noise_of_any_spectrum_has_none(slope, size):
    assert checkerboard(noise(slope, *size)) < 1.2


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", SIZES)
def test_pictures_that_were_drawn_have_none(style, size):
    drawn = [Drawing(style, Resolution(*size[::-1]), 1, n).pixels() for n in range(16)]
    assert checkerboard(luma(np.stack(drawn))) < 1.5


@pytest.mark.parametrize("axis", [1, 2])
def test_what_stands_upright_or_lies_level_is_no_grid(axis):
    """Its spectrum is a ridge along an axis, which would be a peak beside what is off it."""
    lines = noise(1, 64, 64).take([0], axis=axis) + noise(0, 64, 64, seed=1) / 40
    assert checkerboard(lines) < 1.2


@pytest.mark.parametrize("kind", ["columns", "squares", "rows of 4"])
@pytest.mark.parametrize("size", SIZES)
def test_a_stronger_grid_is_more(kind, size):
    values = [
        checkerboard(noise(2, *size) + strength * grid(kind, *size))
        for strength in (0, 1, 2, 4, 8, 16, 32)
    ]
    assert np.all(np.diff(values) >= -1e-12)
    assert np.all(np.diff(values[2:]) > 0.2)
    assert values[-1] > values[0] + 2  # it is one of nine grids


def test_a_grid_counts_as_much_as_it_stands_out():
    """A wave of amplitude a at 1/2 cycle, on noise of variance v: by theory, of its nine grids.

    The window's weight is w; the wave has (a sum(w))^2, noise v sum(w^2).
    """
    pictures = noise(0, 64, 64, count=100) + 8 * grid("squares", 64, 64)
    window = np.outer(*[np.hanning(65)[:64]] * 2)
    wave, beside = (8 * window.sum()) ** 2, 40**2 * (window**2).sum()
    expected = 10 * np.log10(1 + wave / beside) / 9
    assert checkerboard(pictures) == pytest.approx(expected, abs=0.3)


def test_a_null_does_not_make_up_for_a_peak():
    smooth = noise(2, 64, 64)
    enlarged = np.repeat(np.repeat(smooth[:, ::2, ::2], 2, axis=1), 2, axis=2)
    assert checkerboard(enlarged) < 1
    with_grid = enlarged + 16 * grid("rows of 4", 64, 64)
    assert checkerboard(with_grid) > 2


def test_what_is_lost_in_rounding_is_not_seen():
    flat = np.full((4, 32, 32), 128.0)
    assert checkerboard(flat) == 0
    assert checkerboard(flat + 0.001 * grid("squares", 32, 32)) < 0.1
    assert checkerboard(flat + 2 * grid("squares", 32, 32)) > 3


def test_pictures_of_several_sizes_are_added():
    small, large = noise(1, 32, 40, count=8), noise(1, 64, 48, count=8)
    together = sum(grid_powers(each) for each in [*small, *large])
    assert in_decibels(together) < 1
    grids = [each + 20 * grid("squares", *each.shape) for each in [*small, *large]]
    assert in_decibels(sum(map(grid_powers, grids))) > 2


@pytest.mark.parametrize("size", [(23, 64), (64, 23), (1, 1), (3, 200)])
def test_tiny_pictures_tell_nothing(size):
    assert checkerboard(np.zeros((2, *size))) is None
    assert checkerboard(noise(1, 24, 24)) is not None
    assert checkerboard(np.zeros((0, 64, 64))) is None


def test_luma_is_that_of_screens():
    white = luma(np.array([[[255, 255, 255]]], np.uint8))
    green, blue = (luma(np.array([[each]], np.uint8)) for each in ([0, 255, 0, 9], [0, 0, 255, 9]))
    assert (white, green > blue) == (pytest.approx(255), True)
