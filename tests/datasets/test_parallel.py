"""Work in threads: results in order, few at a time, errors as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from multitrain.datasets.parallel import MOST_THREADS, in_order


def test_results_come_in_the_order_of_the_things() -> None:
    later = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            later.wait(10)  # until another one is done
        else:
            later.set()
        return number * number

    assert list(in_order(work, range(50))) == [number * number for number in range(50)]


def test_only_a_few_things_are_taken_ahead() -> None:
    taken: list[int] = []

    def things() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = in_order(lambda number: number, things())
    assert next(results) == 0
    results.close()
    assert len(taken) <= 2 * MOST_THREADS


def test_what_the_work_raises_is_raised_and_ends_it() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        done.append(number)
        return number

    with pytest.raises(ValueError, match="three"):
        list(in_order(work, range(10_000)))
    assert len(done) < 100


def test_of_nothing_comes_nothing() -> None:
    assert list(in_order(lambda thing: thing, [])) == []
