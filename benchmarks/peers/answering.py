"""A contender's side of the pipe."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.standard import CORES

READY = "ready"


def share_cores(cores: int) -> None:
    """Run on so many of the cores that this process may use; before a framework counts them."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:cores])


def shares_of_cores() -> tuple[list[int], list[int]]:
    """Cores for what a GPU would do and for the rest; the same ones where there is only one."""
    cores = sorted(os.sched_getaffinity(0))[:CORES] if hasattr(os, "sched_getaffinity") else [0]
    middle = len(cores) // 2
    return cores[:middle] or cores, cores[middle:]


def stay_on(cores: Sequence[int]) -> None:
    """This thread, and those that it starts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def answer(work: Callable[[int], object]) -> None:
    """Until stdin ends: `work(n)` for each number n, and how many seconds it took."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a framework prints from now on is no answer
    print(READY, file=answers)
    for line in sys.stdin:
        start = time.perf_counter()
        work(int(line))
        print(time.perf_counter() - start, file=answers)
