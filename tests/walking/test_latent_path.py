"""The way of latents: closed to the bit, even, and as probable everywhere as where it was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from multitrain.walking.latent_path import LatentPath

PATHS = ("spherical", "cubic")


def a_path(frames: int = 60, **changed: object) -> LatentPath:
    given = {"keyframes": 5, "samples": 3, "length": 40, "distribution": "normal"}
    return LatentPath(frames, **{**given, **changed})


def everywhere(path: LatentPath) -> np.ndarray:
    return path.at(range(path.frames))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize("keyframes", [2, 3, 4, 5, 8, 61])
def test_the_frame_after_the_last_is_the_first_bit_for_bit(
    path: str, distribution: str, keyframes: int
) -> None:
    each = a_path(path=path, distribution=distribution, keyframes=keyframes)

    first, again = each.at([0, 1, 59]), each.at([60, 61, 119])

    assert first.dtype == np.float32
    assert first.shape == (3, 3, 40)
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("frames", "keyframes"), [(60, 5), (450, 8), (97, 3), (31, 7), (40, 4)])
def test_all_steps_are_about_as_long_the_one_that_closes_it_too(
    path: str, frames: int, keyframes: int
) -> None:
    way = everywhere(a_path(frames, keyframes=keyframes, path=path, samples=64, length=200))

    steps = np.linalg.norm(np.diff(way, axis=0, append=way[:1]), axis=(1, 2))

    assert steps.max() < 1.1 * np.median(steps)
    assert steps.min() > 0.8 * np.median(steps)


def test_there_is_no_corner_at_a_keyframe() -> None:
    way = everywhere(a_path(3000, samples=64, length=200))

    steps = np.diff(way, axis=0, append=way[:1]).reshape(3000, -1)
    units = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    cosines = np.sum(units * np.roll(units, 1, axis=0), axis=1)

    assert cosines.min() > 0.99


def test_on_a_spherical_path_normal_latents_stay_normal() -> None:
    way = everywhere(a_path(20, samples=400, length=100))

    np.testing.assert_allclose(way.std(axis=(1, 2)), 1.0, atol=0.02)
    kurtosis = np.mean(way**4, axis=(1, 2))
    np.testing.assert_allclose(kurtosis, 3.0, atol=0.2)


def test_a_cubic_path_cuts_corners_but_meets_the_keyframes() -> None:
    cubic = a_path(20, samples=400, length=100, path="cubic")

    deviations = everywhere(cubic).std(axis=(1, 2))

    np.testing.assert_allclose(deviations[::4], 1.0, atol=0.02)
    assert deviations[2] < 0.85
    spherical = a_path(20, samples=400, length=100)
    keys = range(0, 20, 4)
    np.testing.assert_array_equal(cubic.at(keys), spherical.at(keys))


@pytest.mark.parametrize("path", PATHS)
def test_uniform_latents_never_leave_their_range(path: str) -> None:
    way = everywhere(a_path(50, samples=200, distribution="uniform", path=path))

    assert np.abs(way).max() <= 1.0
    assert np.abs(way).max() > 0.9


def test_on_a_spherical_path_uniform_latents_stay_uniform() -> None:
    way = everywhere(a_path(20, samples=400, length=100, distribution="uniform"))

    for latents in way:
        shares, _ = np.histogram(latents, bins=10, range=(-1, 1))
        np.testing.assert_allclose(shares / latents.size, 0.1, atol=0.01)


@pytest.mark.parametrize("length", [1, 2])
def test_short_latents_do_not_jump(length: int) -> None:
    way = everywhere(a_path(600, length=length, samples=50))

    assert np.abs(np.diff(way, axis=0, append=way[:1])).max() < 0.2


def test_seeds_draw_other_ways_and_the_same_one_the_same() -> None:
    one, same, other = a_path(seed=1), a_path(seed=1), a_path(seed=2)

    np.testing.assert_array_equal(everywhere(one), everywhere(same))
    assert not np.array_equal(everywhere(one), everywhere(other))


def test_a_frame_does_not_depend_on_those_that_are_asked_with_it() -> None:
    path = a_path(97)

    assert path.at(range(97))[31].tobytes() == path.at([31])[0].tobytes()
