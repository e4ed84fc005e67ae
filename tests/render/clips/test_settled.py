"""When the picture of a training has settled: of ten real ones, and of films that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from render.clips.settled import settled

# Of each film, a hundred evenly spaced frames as small pictures: (100, 13, 24, 3) uint8.
FILMS = Path(__file__).with_name("ten_trainings.npz")

# The bounds in `settled` were chosen with these films, so they keep it as it is, and say little of
# others. By eye of one person, on sheets of many frames of each film: the per cent of its length
# from which on grey, noise and the first garish colours are over, and it looks as it goes on to.
MARKED = {
    "dusk": 29,
    "glass": 22,
    "lava": 45,
    "cells": 41,
    "moss": 52,
    "mixed": 42,
    "waves": 43,
    "shapes": 46,
    "flames": 50,
    "landscapes": 42,
}


@pytest.fixture(scope="module")
def films():
    with np.load(FILMS) as kept:
        return dict(kept)


@pytest.mark.parametrize(("film", "marked"), MARKED.items())
def test_the_moment_is_the_one_that_people_see(films, film, marked):
    assert len(films[film]) == 100
    assert abs(settled(films[film]) - marked) <= 10


@pytest.mark.parametrize("film", MARKED)
def test_more_pictures_of_a_film_tell_the_same_moment(films, film):
    """As many as a sample of a real film has, and its alpha, change nothing."""
    pictures = films[film]
    alike = np.repeat(pictures, 2, axis=0)
    opaque = np.concatenate([alike, np.full_like(alike[..., :1], 255)], axis=3)
    assert abs(settled(opaque) / 2 - settled(pictures)) <= 4


def waves(count=100):
    x, y = np.arange(24) / 24, np.arange(13)[:, None] / 13
    for number in range(count):
        turns = [x + number / 40 + 0 * y, y - number / 30 + 0 * x, x + y + number / 50]
        yield np.stack([127 + 100 * np.sin(2 * np.pi * turn) for turn in turns], axis=2)


def faded(count=100):
    return (wave * number / count for number, wave in enumerate(waves(count)))


def between_colours(count=100):
    for share in np.linspace(0, 1, count)[:, None]:
        yield np.zeros((13, 24, 1)) + share * [200, 60, 40] + (1 - share) * [20, 90, 160]


def constant(level, count=100):
    return np.full((count, 13, 24, 3), level)


def noise(count=100):
    return np.random.default_rng(0).normal(128, 40, (count, 13, 24, 3)).clip(0, 255)


@pytest.mark.parametrize(
    "pictures",
    [
        list(waves()),
        list(faded()),
        list(between_colours()),
        constant(0),
        constant(128),
        noise(),
        [*constant(128, 5), *waves(10)],  # too few
        constant(128, 1),
    ],
    ids=["moving", "faded in", "between colours", "black", "grey", "noise", "short", "one"],
)
def test_films_that_are_no_trainings_are_settled_from_their_beginning(pictures):
    assert settled(np.array(pictures).astype(np.uint8)) == 0


@pytest.mark.parametrize("grey", [1, 10, 30, 50])
def test_where_grey_ends(grey):
    pictures = np.array([*constant(128, grey), *waves(100 - grey)]).astype(np.uint8)
    assert abs(settled(pictures) - grey) <= 2


@pytest.mark.parametrize(("share", "expected"), [(0.2, 30), (0.3, 0)])
def test_a_film_whose_first_picture_has_a_quarter_of_the_later_contrast_is_none(share, expected):
    """What begins with shapes, however pale, is no training, or goes on from one."""
    later = np.stack(list(waves()))
    pale = 128 + share * (later[:30] - 127)
    pictures = np.concatenate([pale, later[30:]]).astype(np.uint8)
    assert abs(settled(pictures) - expected) <= 2


def test_a_passing_flicker_is_no_change(films):
    pictures = films["dusk"].copy()
    pictures[45] = 255
    assert settled(pictures) == settled(films["dusk"])
