from __future__ import annotations

import numpy as np
import pytest

from jobs.settings.choices import LatentMotion
from multitrain.engine.motion import Latents, at_frames

FPS = 10
PERIOD = 40  # frames: of a walk of four seconds


def latents(distribution: str, motion: str = "walk(period=4)", length: int = 7) -> Latents:
    return Latents(length, distribution, LatentMotion.parse(motion))


def grid(distribution: str, samples: int = 500, length: int = 7) -> np.ndarray:
    random = np.random.default_rng(0)
    shape = samples, length
    drawn = random.normal(size=shape) if distribution == "normal" else random.uniform(-1, 1, shape)
    return drawn.astype(np.float32)


def shown(start: np.ndarray, which: Latents, first: int, frames: int) -> np.ndarray:
    return np.asarray(at_frames(start, which, first, frames, FPS))


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_latents_at_rest_stay_what_they_are(distribution: str) -> None:
    start = grid(distribution)

    for frame in shown(start, latents(distribution, "fixed"), 17, 3):
        np.testing.assert_array_equal(frame, start)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_a_walk_is_closed_and_begins_where_the_grid_is(distribution: str) -> None:
    start, which = grid(distribution), latents(distribution)

    np.testing.assert_array_equal(shown(start, which, 0, 1)[0], start)
    np.testing.assert_array_equal(
        shown(start, which, 0, PERIOD), shown(start, which, 3 * PERIOD, PERIOD)
    )


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_a_walk_goes_in_even_steps(distribution: str) -> None:
    path = shown(grid(distribution), latents(distribution), 0, PERIOD + 1)

    steps = np.linalg.norm(np.diff(path, axis=0), axis=-1)

    usual = np.median(steps, axis=0)  # of each sample
    assert (steps < 1.05 * usual).all()
    assert (steps > 0.5 * usual).all()  # a value may just turn round at an end


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_latents_stay_as_probable_as_they_are(distribution: str) -> None:
    start = grid(distribution, samples=4000)

    for moved in shown(start, latents(distribution), 0, PERIOD)[::7]:
        for share in (0.1, 0.25, 0.5, 0.75, 0.9):
            wanted = np.quantile(start, share, axis=0)  # of each place in the vector
            np.testing.assert_allclose(np.quantile(moved, share, axis=0), wanted, atol=0.13)
        if distribution == "uniform":
            assert np.abs(moved).max() <= 1


def test_many_frames_at_once_are_those_one_by_one() -> None:
    start, which = grid("normal"), latents("normal")

    together = shown(start, which, 5, 4)

    for offset in range(4):
        np.testing.assert_allclose(together[offset], shown(start, which, 5 + offset, 1)[0])


def test_half_a_turn_is_the_far_side() -> None:
    start = grid("normal", length=6)

    moved = shown(start, latents("normal", length=6), PERIOD // 2, 1)[0]

    np.testing.assert_allclose(moved, -start, atol=1e-5)
