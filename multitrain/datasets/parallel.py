"""Work on many files at once, in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Event
from typing import TypeVar

from multitrain.machine.cores import available_cores

MOST_THREADS = 8  # the disk is busy with fewer

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[T], R], things: Iterable[T], stopping: Event | None = None
) -> Generator[R, None, None]:
    """What `work` makes of each of the things, in their order.

    Threads are a few things ahead of whoever takes the results, so any number of them fits into
    memory. What `work` raises is raised here; nothing new begins once this iterator is closed,
    or is interrupted. Work that takes long can look at `stopping`, which is set then.
    """
    threads = min(MOST_THREADS, len(available_cores()))
    coming: deque[Future[R]] = deque()
    waiting = iter(things)
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                for thing in islice(waiting, 2 * threads - len(coming)):
                    coming.append(pool.submit(work, thing))
                if not coming:
                    return
                yield coming.popleft().result()
        finally:
            if stopping:
                stopping.set()
            pool.shutdown(cancel_futures=True)
