"""Things made ahead by a thread: in order, few of them, and over when the block is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from multitrain.inference.ahead import made_ahead


def test_all_come_in_their_order() -> None:
    with made_ahead(range(100), 3) as things:
        assert list(things) == list(range(100))


def test_no_more_are_made_than_may_wait() -> None:
    made: list[int] = []
    enough = threading.Event()

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 2:
                enough.set()
            yield number

    with made_ahead(make(), 3) as things:
        assert enough.wait(10)
        assert next(things) == 0
        assert len(made) <= 3
    assert len(made) <= 4, "only one more was begun when the block was left"
    assert not any(each.name == "ahead" for each in threading.enumerate())


def test_what_making_them_raises_is_raised_behind_those_before() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise OSError("no disk")

    with made_ahead(make(), 3) as things:
        assert next(things) == 1
        with pytest.raises(OSError, match="no disk"):
            next(things)


def test_a_block_that_fails_ends_the_thread() -> None:
    with pytest.raises(ZeroDivisionError), made_ahead(range(100), 2) as things:
        next(things) / 0
    assert not any(each.name == "ahead" for each in threading.enumerate())
