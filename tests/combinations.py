"""Parameters for a test of all combinations: some of them always, the rest with `--long`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, islice, product

import pytest


def combinations(*axes: Iterable[object]) -> list[object]:
    """All combinations of one value of each axis; only those of `covering` are not `long`."""
    lists = [list(axis) for axis in axes]
    always = covering(*lists)
    return [
        pytest.param(*each, marks=() if each in always else pytest.mark.long)
        for each in product(*lists)
    ]


def covering(*axes: Iterable[object]) -> list[tuple[object, ...]]:
    """The fewest combinations in which each value of each axis stands."""
    lists = [list(axis) for axis in axes]
    return list(islice(zip(*map(cycle, lists), strict=False), max(map(len, lists))))


def first_on_jax(values: Iterable[object]) -> list[object]:
    """All of them; where Keras runs on JAX, which compiles each for seconds, the first alone, if
    not with `--long`.
    """
    first, *rest = values
    return [first, *(pytest.param(each, marks=pytest.mark.long_on_jax) for each in rest)]
