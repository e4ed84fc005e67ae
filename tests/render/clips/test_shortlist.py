"""Which moments of a film are most worth seeing."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.errors import MultitrainError
from render.clips.shortlist import choose, find_moments
from render.files.film import Film
from tests.footage import write_video

WIDTH, HEIGHT = 96, 52


def looks(seed: int, count: int = 1) -> list[np.ndarray]:
    """Small pictures of one look: all the same."""
    picture = np.random.default_rng(seed).integers(0, 256, 300).astype(np.uint8)
    return [picture] * count


def test_the_first_is_where_most_moves_and_the_next_is_unlike_it() -> None:
    """Two looks that move; what moves most of each is taken, not the same look twice."""
    one, other, still = looks(1, 20), looks(2, 10), looks(3, 18)
    before = np.stack([*one, *other, *still])
    share = np.zeros(len(before))
    share[:20], share[20:30] = 0.5, 0.3
    share[7], share[25] = 0.6, 0.4
    after = np.uint8(before * (1 - share[:, None]) + 128 * share[:, None])
    chosen = choose(before, after, 3)
    assert [each.place for each in chosen[:2]] == [7, 25]
    assert chosen[0].motion > chosen[1].motion > 0
    assert chosen[0].novelty == 0 < chosen[1].novelty


def test_moments_lie_apart_and_none_comes_twice() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (96, 300)).astype(np.uint8)
    places = sorted(each.place for each in choose(pictures, pictures[::-1], 6))
    assert len(places) == 6
    assert np.diff(places).min() >= 4
    assert [each.place for each in choose(pictures[:2], pictures[:2], 6)] == [0, 1]


def a_training(count: int, grey: int, quick: range) -> list[np.ndarray]:
    """Grey for a while, then waves that move on slowly, and quickly at times."""
    x, y = np.arange(WIDTH) / WIDTH, np.arange(HEIGHT)[:, None] / HEIGHT
    frames, at = [np.full((HEIGHT, WIDTH, 3), 128, np.uint8)] * grey, 0.0
    for number in range(grey, count):
        at += 0.05 if number in quick else 0.002
        turns = (x + at + 0 * y, y - x - at, y + at)
        waves = np.sin(2 * np.pi * np.stack(np.broadcast_arrays(*turns), axis=2))
        frames.append((127 + 100 * waves).astype(np.uint8))
    return frames


def test_moments_of_a_film_are_where_it_moves_and_not_in_its_grey_beginning(tmp_path) -> None:
    quick = range(300, 360)
    film = write_video(tmp_path / "film.mp4", a_training(500, 100, quick), fps=20, gop=10)
    told: list[int] = []
    best, *others = find_moments(Film.look(film), 6, told.append)
    assert best.place in range(quick.start - 6, quick.stop)
    assert all(each.place >= 95 for each in others), "grey changes into waves, which is a motion"
    assert len(others) == 5
    assert told, "somebody may want it to end"


def test_films_that_are_short_or_damaged(tmp_path) -> None:
    film = write_video(tmp_path / "one.mp4", 1)
    assert [each.place for each in find_moments(Film.look(film), 6, lambda _: None)] == [0]
    look = Film.look(write_video(tmp_path / "damaged.mp4", 30))
    look.path.unlink()
    with pytest.raises(MultitrainError):
        find_moments(look, 6, lambda _: None)
