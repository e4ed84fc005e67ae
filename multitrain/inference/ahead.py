"""Things that a thread makes a few ahead of whoever takes them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


@contextmanager
def made_ahead(things: Iterable[T], most: int) -> Iterator[Iterator[T]]:
    """The same things, of which a thread makes at most so many that nobody has taken yet.

    What making them raises is raised to whoever takes them. Once the block is left, the thread has
    ended: it finishes what it is making.
    """
    ahead = _Ahead(things, most)
    try:
        yield ahead.taken()
    finally:
        ahead.end()


class _Ahead(Generic[T]):
    def __init__(self, things: Iterable[T], most: int) -> None:
        self._things, self._room = things, threading.Semaphore(most)
        self._ready: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
        self._ends = False
        self._thread = threading.Thread(target=self._make, name="ahead", daemon=True)
        self._thread.start()

    def taken(self) -> Iterator[T]:
        while (ready := self._ready.get()) is not None:
            if isinstance(ready, BaseException):
                raise ready
            yield ready[0]
            self._room.release()

    def end(self) -> None:
        self._ends = True
        self._room.release()
        self._thread.join()

    def _make(self) -> None:
        try:
            things = iter(self._things)
            while self._room.acquire() and not self._ends:
                self._ready.put((next(things),))
        except StopIteration:
            self._ready.put(None)
        except BaseException as error:
            self._ready.put(error)
