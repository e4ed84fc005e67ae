"""What ours is measured beside."""

from __future__ import annotations

import pytest

from benchmarks import flops


def test_products_of_matrices() -> None:
    assert flops.of_product(3) == 2 * 27


@pytest.mark.parametrize(
    ("size", "times", "left"), [(90, 1, 45), (90, 2, 23), (90, 4, 6), (1, 3, 1)]
)
def test_sizes_halve_rounding_up(size: int, times: int, left: int) -> None:
    assert flops.halved(size, times) == left
