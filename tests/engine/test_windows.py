from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing
from multitrain.engine.windows import Window

ALMOST_1 = np.nextafter(np.float32(1), np.float32(0))


def pixels(window: Window, shares: object) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = window.pixels(np.asarray(shares, np.float32))
    return np.asarray(rows), np.asarray(columns)


def test_every_place_is_as_probable_as_any_other() -> None:
    window = Window(Resolution(7, 5), Resolution(4, 3), flip=True)
    rows, columns = pixels(window, np.random.default_rng(0).random((3, 12_000)))

    counts = Counter(zip(rows[:, 0], columns[:, 0], strict=True))

    mirrored = {(top, left + 3) for top in range(3) for left in range(4)}
    upright = {(top, left) for top in range(3) for left in range(4)}
    assert counts.keys() == mirrored | upright  # where the left edge is column 3, it may be both
    assert sum(counts[place] for place in upright & mirrored) == pytest.approx(3000, rel=0.1)
    for place in upright ^ mirrored:
        assert counts[place] == pytest.approx(500, rel=0.2)


@pytest.mark.parametrize("room", [1, 3, 4096, 16_383])
def test_the_largest_share_is_the_last_place(room: int) -> None:
    window = Window(Resolution(room + 2, room + 2), Resolution(2, 2), flip=False)
    rows, columns = pixels(window, [[0, ALMOST_1], [ALMOST_1, 0], [0, 0]])

    assert rows.tolist() == [[0, 1], [room, room + 1]]
    assert columns.tolist() == [[room, room + 1], [0, 1]]


def test_mirroring_turns_the_columns_around() -> None:
    window = Window(Resolution(4, 2), Resolution(4, 2), flip=True)
    rows, columns = pixels(window, [[0.9, 0.9], [0.9, 0.9], [0.49, 0.5]])

    assert rows.tolist() == [[0, 1], [0, 1]]
    assert columns.tolist() == [[3, 2, 1, 0], [0, 1, 2, 3]]


def test_whole_pictures_need_no_window() -> None:
    size = Resolution(8, 6)
    assert Window.of(Preprocessing(), size) is None
    assert Window.of(Preprocessing(crop=size), size) is None
    assert Window.of(Preprocessing(flip=True), size) == Window(size, size, flip=True)
    crop = Resolution(8, 5)
    assert Window.of(Preprocessing(crop=crop), size) == Window(size, crop, flip=False)
