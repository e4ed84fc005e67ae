from __future__ import annotations

import threading

import numpy as np
import pytest

from multitrain.engine import reading
from multitrain.engine.reading import PrefetchingReader

PICTURES = np.arange(20, dtype=np.uint8).repeat(12).reshape(20, 2, 2, 3)


class Order:
    """Batches of three, in a row or shifted; remembers what it was asked and tells when."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.shift = 0
        self._news = threading.Condition()

    def __call__(self, first: int, batches: int) -> np.ndarray:
        indices = (self.shift + np.arange(3 * first, 3 * (first + batches))) % len(PICTURES)
        with self._news:
            self.asked.append((first, batches))
            self._news.notify_all()
        return indices

    def wait_until_asked(self, times: int) -> None:
        with self._news:
            assert self._news.wait_for(lambda: len(self.asked) >= times, timeout=30)


@pytest.fixture
def order() -> Order:
    return Order()


@pytest.fixture
def reader(order: Order) -> PrefetchingReader:
    return PrefetchingReader(PICTURES, order, batch=3)


def numbers(taken: np.ndarray) -> list[int]:
    """The pictures that were taken, which are of one shade each."""
    assert taken.shape[1:] == (3, 2, 2, 3)
    assert taken.dtype == np.uint8
    assert (taken == taken[..., :1, :1, :1]).all()
    return taken[..., 0, 0, 0].ravel().tolist()


def test_the_next_batches_are_read_before_they_are_asked_for(
    reader: PrefetchingReader, order: Order
) -> None:
    assert numbers(reader.take(0, 2)) == [0, 1, 2, 3, 4, 5]

    order.wait_until_asked(2)

    assert order.asked == [(0, 2), (2, 2)]


@pytest.mark.parametrize("batches", [(2, 2, 2), (1, 4, 1), (4, 1, 3), (1, 1, 5)])
def test_any_partition_brings_the_same_pictures(
    reader: PrefetchingReader, batches: tuple[int, ...]
) -> None:
    taken: list[int] = []
    for count in batches:
        taken += numbers(reader.take(len(taken) // 3, count))

    assert taken == [number % 20 for number in range(3 * sum(batches))]


def test_going_back_reads_anew(reader: PrefetchingReader) -> None:
    reader.take(0, 3)

    assert numbers(reader.take(1, 1)) == [3, 4, 5]


def test_what_was_read_before_the_draws_changed_is_forgotten(
    reader: PrefetchingReader, order: Order
) -> None:
    reader.take(0, 1)
    order.wait_until_asked(2)

    order.shift = 1
    reader.forget()

    assert numbers(reader.take(1, 1)) == [4, 5, 6]


def test_a_call_should_not_ask_for_more_than_memory_allows(
    reader: PrefetchingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = 3 * PICTURES[0].nbytes
    monkeypatch.setattr(reading, "READ_BYTES", 2.5 * batch)
    assert reader.most == 2
    monkeypatch.setattr(reading, "READ_BYTES", 1)
    assert reader.most == 1
