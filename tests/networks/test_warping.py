"""Pictures whose pixels come from elsewhere, beside NumPy; and the frame between two by that."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from multitrain.networks.warping import Between, Blend, warped

RANDOM = np.random.default_rng(0)


def drawn(*shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    return RANDOM.uniform(low, high, shape).astype(np.float32)


def fetched(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """The colours of a picture at a place between its pixels' centres, written out."""
    height, width = picture.shape[:2]
    x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    left, upper = int(x), int(y)
    total = np.zeros(picture.shape[-1])
    for row, down in ((upper, 1 - (y - upper)), (min(upper + 1, height - 1), y - upper)):
        for column, right in ((left, 1 - (x - left)), (min(left + 1, width - 1), x - left)):
            total += down * right * picture[row, column]
    return total


def test_each_pixel_comes_from_where_its_motion_points() -> None:
    """Also from beyond the edges, and from a pixel exactly."""
    pictures, motion = drawn(2, 5, 7, 3), drawn(2, 5, 7, 2, low=-9, high=9)
    motion[0, :2] = np.round(motion[0, :2])

    made = np.asarray(warped(ops.convert_to_tensor(pictures), ops.convert_to_tensor(motion)))

    for number, row, column in np.ndindex(2, 5, 7):
        right, down = motion[number, row, column]
        wanted = fetched(pictures[number], column + right, row + down)
        np.testing.assert_allclose(made[number, row, column], wanted, atol=1e-5)


def test_without_motion_a_picture_stays_bit_for_bit() -> None:
    picture = drawn(1, 4, 6, 3)
    still = np.zeros((1, 4, 6, 2), np.float32)
    np.testing.assert_array_equal(np.asarray(warped(picture, still)), picture)


@pytest.mark.parametrize("time", [0.0, 0.25, 0.5, 1.0])
def test_what_moves_evenly_is_where_it_is_at_the_time(time: float) -> None:
    """A slope that moves by four pixels to the right: its colours tell the place."""
    columns = np.broadcast_to(np.arange(12.0, dtype=np.float32), (1, 3, 12))[..., None]
    at = np.full_like(columns, time)
    given = np.concatenate([columns, columns - 4, at], axis=-1)
    motion = np.tile(np.float32([2, 0]), (1, 3, 12, 1))  # from the middle on

    first, second = np.moveaxis(np.asarray(Between()(given, motion)), -1, 0)

    inside = slice(4, 8)
    for each in (first, second):
        np.testing.assert_allclose(each[..., inside], columns[..., inside, 0] - 4 * time, atol=1e-5)


def test_where_nothing_is_known_the_frame_between_is_a_blend() -> None:
    """At both ends, it is the picture there, whatever is corrected."""
    moved, corrections = drawn(4, 3, 5, 6), drawn(4, 3, 5, 3)
    times = np.float32([0, 0.25, 0.5, 1])
    at = np.broadcast_to(times[:, None, None, None], (4, 3, 5, 1))

    def made(shown: float, by: float) -> np.ndarray:
        logits = np.full_like(at, shown)
        return np.asarray(Blend()(moved, logits, at, by * corrections))

    first, second = moved[..., :3], moved[..., 3:]
    np.testing.assert_allclose(made(0, 0), first + at * (second - first), atol=2e-3)
    np.testing.assert_allclose(made(20, 0)[1:3], second[1:3], atol=1e-5)
    np.testing.assert_allclose(made(0, 1)[2] - made(0, 0)[2], corrections[2], atol=1e-5)
    np.testing.assert_allclose(made(0, 9)[0], first[0], atol=5e-3)
    np.testing.assert_allclose(made(0, 9)[3], second[3], atol=5e-3)
