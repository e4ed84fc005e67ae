"""Which pictures a training is measured by, where they are a share of its own."""

from __future__ import annotations

from itertools import pairwise

import pytest

from jobs.pictures.holding_out import held_out


def chosen(names: list[str], share: float, seed: int = 0) -> list[str]:
    return [names[place] for place in held_out(names, share, seed)]


def test_of_one_video_the_end_is_held_out() -> None:
    names = [f"film_{frame}.png" for frame in range(20)]
    frames = [f"night.mp4/{frame:07}.frame" for frame in range(20)]

    assert chosen(sorted(names), 0.1) == ["film_18.png", "film_19.png"]
    assert chosen(frames, 0.1) == frames[-2:]


def test_runs_of_frames_stay_together_as_far_as_the_share_allows() -> None:
    names = [
        f"{film}/shot{shot}_{frame:03d}_{side}.png"
        for film in ("a", "b")
        for shot in range(0, 20, 2)
        for frame in range(10)
        for side in ("left", "right")
    ]

    def torn(share: float) -> int:
        """How many neighbours of a run are on different sides."""
        found = set(chosen(names, share))
        assert len(found) == round(share * 400)
        sides = enumerate(pairwise(name in found for name in names), 1)
        return sum(a != b and place % 20 > 0 for place, (a, b) in sides)

    assert torn(0.25) == 0, "five runs"
    assert torn(0.28) == 1


def test_photos_that_do_not_count_up_are_drawn_one_by_one() -> None:
    """By the seed; hardly any change sides where others come."""
    names = [f"{word}{number}.jpg" for word in ("sea", "sky") for number in range(0, 500, 5)]

    found, again = (chosen(names, 0.2, seed) for seed in (0, 1))

    assert len(found) == len(again) == 40
    assert len(set(found) & set(again)) < 20
    assert len(set(found) - set(chosen([*names, "tree.jpg"], 0.2))) <= 1


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.99, 2), (0.5, 2)])
def test_there_are_some_on_each_side(share: float, count: int) -> None:
    assert len(held_out(["a.png", "b.png", "c.png"], share, 0)) == count
