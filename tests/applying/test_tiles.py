"""Large pictures made tile by tile come out as if they were made whole."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from multitrain.applying.tiles import ENOUGH, PRACTICAL, Pictures, Tiling

RANDOM = np.random.default_rng(0)


def means(pictures: Pictures, reach: int, times: int) -> Pictures:
    """What a network would make that sees so far: means of squares, repeated."""
    padded = np.pad(pictures.astype(float), ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    height, width = pictures.shape[1:3]
    side = 2 * reach + 1
    total = sum(padded[:, y : y + height, x : x + width] for y in range(side) for x in range(side))
    return (total / side**2).repeat(times, axis=1).repeat(times, axis=2)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(("width", "height"), [(97, 61), (40, 250), (64, 64), (131, 17)])
def test_tiles_that_overlap_by_what_is_seen_make_no_difference(
    width: int, height: int, times: int
) -> None:
    reach = 3
    tiling = Tiling.of(Resolution(width, height), reach, halvings=0, most=900)
    picture = RANDOM.integers(0, 256, (2, height, width, 3))
    sizes = set()

    def make(part: Pictures) -> Pictures:
        sizes.add(part.shape[2:0:-1])
        return means(part, reach, times)

    np.testing.assert_array_equal(tiling.made(picture, make), means(picture, reach, times))
    assert tiling.count > 1
    assert sizes == {tiling.tile}, "one size, so that it is compiled once"
    assert tiling.tile.width * tiling.tile.height < 1.2 * 900


def test_an_overlap_that_is_too_small_shows() -> None:
    """So the test above can fail."""
    picture = RANDOM.integers(0, 256, (1, 61, 97, 3))
    tiling = Tiling.of(Resolution(97, 61), 2, halvings=0, most=900)
    made = tiling.made(picture, lambda part: means(part, 3, 1))
    assert (made != means(picture, 3, 1)).any()


def test_tiles_of_networks_that_halve_begin_where_their_pixels_do() -> None:
    tiling = Tiling.of(Resolution(98, 61), 5, halvings=2, most=900)
    starts: list[int] = []

    def make(part: Pictures) -> Pictures:
        starts.extend(part[0, ::4, 0, 0] % 4)
        return part

    rows = np.arange(61)[None, :, None, None] + np.zeros((1, 1, 98, 1), int)
    np.testing.assert_array_equal(tiling.made(rows, make), rows)
    assert tiling.tile.width % 4 == tiling.tile.height % 4 == 0
    # Above the picture is one row of its reflection, for 61 is no multiple of four and 64 is.
    assert set(starts) == {1, 3}


def test_pictures_that_fit_are_one_tile_and_far_sights_have_a_practical_overlap() -> None:
    assert Tiling.of(Resolution(30, 30), 3, halvings=0, most=900).is_whole
    assert Tiling.of(Resolution(4000, 3000), PRACTICAL, 0, 10**6).margin == PRACTICAL
    assert Tiling.of(Resolution(4000, 3000), PRACTICAL + 1, 0, 10**6).margin == ENOUGH
