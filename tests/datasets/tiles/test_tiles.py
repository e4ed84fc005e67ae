"""Where tiles lie, how many there are, and what their names tell."""

from __future__ import annotations

import os
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Sides
from multitrain.datasets.tiles.tiles import TileGrid, TileName, fits_a_file_system

NO_TRIM = Sides(0, 0, 0, 0)
sides = st.integers(1, 200)
switches = st.booleans()


def product(columns: int, rows: int) -> int:
    return max(columns, 0) * max(rows, 0)


@given(
    picture=st.builds(Resolution, sides, sides),
    tile=st.builds(Resolution, st.integers(8, 60), st.integers(8, 60)),
    trim=st.builds(Sides, *[st.integers(0, 40)] * 4),
    edges=switches,
    jitter=switches,
)
def test_there_are_as_many_tiles_as_the_table_says(
    picture: Resolution, tile: Resolution, trim: Sides, edges: bool, jitter: bool
) -> None:
    columns = max(0, picture.width - trim.left - trim.right) // tile.width
    rows = max(0, picture.height - trim.top - trim.bottom) // tile.height
    shifted = product(columns - 1, rows - 1)
    main = product(columns, rows) if edges else shifted
    more = shifted if edges else product(columns - 2, rows - 2)

    straight, jittered = TileGrid(tile, 2, edges, jitter, trim).corners(picture)

    assert len(set(straight)) == len(straight) == main
    assert len(set(jittered)) == len(jittered) == (more if jitter else 0)
    assert set(straight).isdisjoint(jittered)
    for x, y in (*straight, *jittered):
        assert trim.left <= x <= picture.width - trim.right - tile.width
        assert trim.top <= y <= picture.height - trim.bottom - tile.height


@pytest.mark.parametrize(
    ("edges", "jitter", "tiles"),
    [(False, False, 391), (False, True, 743), (True, False, 432), (True, True, 823)],
)
def test_a_film_of_1920x1080_without_its_pillars(edges: bool, jitter: bool, tiles: int) -> None:
    grid = TileGrid(Resolution(60, 60), 2, edges, jitter, Sides(240, 240, 0, 0))
    straight, jittered = grid.corners(Resolution(1920, 1080))
    assert len(straight) + len(jittered) == tiles


@pytest.mark.parametrize("size", [(10, 100), (100, 10), (10, 10), (19, 19), (9, 9)])
@pytest.mark.parametrize("jitter", [False, True])
def test_a_single_column_or_row_has_no_tile_half_way(size: tuple[int, int], jitter: bool) -> None:
    grid = TileGrid(Resolution(10, 10), 2, False, jitter, NO_TRIM)
    assert grid.corners(Resolution(*size)) == ([], [])


def test_sets_are_half_a_tile_apart() -> None:
    inside = TileGrid(Resolution(10, 8), 2, False, True, Sides(1, 0, 2, 0))
    straight, jittered = inside.corners(Resolution(31, 26))
    assert straight == [(6, 6), (16, 6), (6, 14), (16, 14)]
    assert jittered == [(11, 10)]
    whole = TileGrid(Resolution(10, 8), 2, True, True, Sides(1, 0, 2, 0))
    assert whole.corners(Resolution(31, 26))[1] == straight
    assert whole.corners(Resolution(31, 26))[0][:4] == [(1, 2), (11, 2), (21, 2), (1, 10)]


# Whatever bytes a file system takes.
file_names = st.binary(min_size=1, max_size=20).filter(
    lambda name: not {b"/"[0], 0} & set(name) and name not in {b".", b".."}
)
names = (
    st.text("aé🎬_0123456789x.\n ", min_size=1, max_size=20) | file_names.map(os.fsdecode)
).filter(lambda name: name not in {".", ".."})


@given(
    picture=st.lists(names, min_size=1, max_size=3).map(lambda parts: PurePath(*parts)),
    size=st.tuples(st.integers(1, 99_999), st.integers(1, 99_999)),
    corner=st.tuples(st.integers(0, 99_999), st.integers(0, 99_999)),
    border=st.integers(0, 9999),
    seed=st.none() | st.integers(-9, 2**40),
)
def test_names_tell_what_they_were_made_of(
    picture: PurePath,
    size: tuple[int, int],
    corner: tuple[int, int],
    border: int,
    seed: int | None,
) -> None:
    name = TileName(picture, Resolution(*size), corner, border)
    assert TileName.parse(name.path(seed)) == name


def test_names_sort_as_tiles_lie_and_at_random_with_a_seed() -> None:
    tiles = [
        TileName(PurePath("20240101_a"), Resolution(900, 90), (x, 0), 2) for x in range(0, 900, 60)
    ]
    assert sorted(each.path() for each in tiles) == [each.path() for each in tiles]
    orders = [sorted(tiles, key=lambda each, seed=seed: each.path(seed)) for seed in (0, 1)]
    assert tiles != orders[0] != orders[1] != tiles


@pytest.mark.parametrize(
    "name",
    [
        "photo.png",
        "a_10x10_y00000_x00000_b2.jpg",
        "a_10x10_y0_x0_b2.png",
        "_10x10_y00000_x00000_b2.png",
        "0123abcd_._10x10_y00000_x00000_b2_s.png",
        "0123abcd_.._10x10_y00000_x00000_b2_s.png",
        "short_10x10_y00000_x00000_b2_s.png",
    ],
)
def test_other_names_are_none_of_tiles(name: str) -> None:
    assert TileName.parse(PurePath(name)) is None


def test_names_that_no_file_can_have_are_known() -> None:
    long = TileName(PurePath("é" * 114), Resolution(10, 10), (0, 0), 2)
    assert fits_a_file_system(long.path())
    assert not fits_a_file_system(TileName(PurePath("é" * 115), *long[1:]).path())
