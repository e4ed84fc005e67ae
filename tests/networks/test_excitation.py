from __future__ import annotations

import numpy as np
import pytest

from multitrain.networks.excitation import squeezed


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_parts_of_a_map_are_their_means() -> None:
    maps = drawn(2, 8, 12, 3)

    made = np.asarray(squeezed(maps, 4))

    wanted = maps.reshape(2, 4, 2, 4, 3, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(made, wanted, atol=1e-6)


@pytest.mark.parametrize("side", [1, 3, 5, 6, 7])
def test_parts_of_any_map_meet_each_pixel(side: int) -> None:
    """And are as PyTorch's users know them: from a part's start, down, to its end, up."""
    maps = drawn(1, side, 1, 1)

    made = np.asarray(squeezed(maps, 4))[0, :, 0, 0]

    wanted = [maps[0, part * side // 4 : -(-(part + 1) * side // 4)].mean() for part in range(4)]
    np.testing.assert_allclose(made, wanted, atol=1e-6)
