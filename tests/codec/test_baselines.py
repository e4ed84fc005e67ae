"""Plain codecs: what comes back, and what it takes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from multitrain.codec.baselines import BASELINES, Baseline
from multitrain.datasets.drawn.landscapes import draw_landscape

WIDTH, HEIGHT, FRAMES = 48, 32, 4
FPS = Fraction(25)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    wide = draw_landscape(1, WIDTH + FRAMES, HEIGHT)
    return np.stack([wide[:, number : number + WIDTH] for number in range(FRAMES)])


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.square(one.astype(float) - other).mean())


@pytest.mark.parametrize("each", BASELINES, ids=lambda each: each.codec)
def test_frames_come_back_and_the_more_bytes_the_better(each: Baseline, frames: np.ndarray) -> None:
    stored = [each.store(frames, FPS, setting) for setting in each.settings]
    for one in stored:
        assert one.frames.shape == frames.shape
        assert one.frames.dtype == np.uint8
        assert 0 < one.bytes <= frames.nbytes
    errors = [error(one.frames, frames) for one in stored]
    assert errors == sorted(errors)
    assert errors[0] == 0 or each.codec != "identity"
    assert errors[-1] < error(np.full_like(frames, frames.mean()), frames)
    sizes = [one.bytes for one in stored]
    assert len({*sizes}) == len(sizes)
    assert sizes == sorted(sizes, reverse=True)
