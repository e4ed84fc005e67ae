"""Calls to far ends are given up after some time, however slowly these answer.

The libraries limit only each single silence: a server that sends a byte now and then would hold a
lane, and with it the end of a night, for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

CALL_SECONDS = 300.0  # for everything besides the file itself
LEAST_RATE = 10_000  # bytes a second, below which sending makes no sense
DIRECTIONS = 2  # a file is sent, and read back

T = TypeVar("T")


def seconds_for(size: int) -> float:
    """How long it may take to connect and to send a file of `size` bytes."""
    return CALL_SECONDS + DIRECTIONS * size / LEAST_RATE


def within(seconds: float, call: Callable[[], T], cut: Callable[[], None]) -> T:
    """What `call` returns or raises; after `seconds`, calls `cut` and raises TimeoutError.

    `call` runs in a thread, which is then abandoned: `cut` is to make it end if that is possible.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # raised where it is waited for
            failures.append(error)

    thread = threading.Thread(target=work, name="call to a far end", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        cut()
        raise TimeoutError("it does not answer in time")
    if failures:
        raise failures[0]
    return results[0]
