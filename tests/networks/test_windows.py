from __future__ import annotations

import numpy as np

from multitrain.networks.windows import cut


def test_each_map_is_cut_at_its_own_place() -> None:
    maps = np.random.default_rng(0).normal(size=(3, 6, 5, 2)).astype(np.float32)
    starts = np.array([[0, 0], [2, 1], [3, 2]], np.int32)

    made = np.asarray(cut(maps, starts, (3, 3)))

    for number, (row, column) in enumerate(starts):
        wanted = maps[number, row : row + 3, column : column + 3]
        np.testing.assert_array_equal(made[number], wanted)
