"""A contender's side of the pipe."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

READY = "ready"


def share_cores(cores: int) -> None:
    """Run on so many of the cores that this process may use; before a framework counts them."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:cores])


def answer(work: Callable[[int], object]) -> None:
    """Until stdin ends: `work(n)` for each number n, and how many seconds it took."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a framework prints from now on is no answer
    print(READY, file=answers)
    for line in sys.stdin:
        start = time.perf_counter()
        work(int(line))
        print(time.perf_counter() - start, file=answers)
