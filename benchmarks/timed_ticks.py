"""`multitrain`, its farm's ticks timed: `python -m benchmarks.timed_ticks FILE ARGUMENT…`.

When it ends, the times of each tick lie in FILE, as JSON. A process of `serving_load`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from multitrain.commands.cli import main as multitrain
from multitrain.farm.events import Event
from multitrain.farm.farm import Farm

TIMES: list[tuple[float, float]] = []  # seconds, and those of processor time, of each tick
TICK = Farm.tick


def timed(farm: Farm, now: float) -> list[Event]:
    """A tick of a farm."""
    begun, spent = time.perf_counter(), time.thread_time()
    try:
        return TICK(farm, now)
    finally:
        TIMES.append((time.perf_counter() - begun, time.thread_time() - spent))


def main() -> None:
    """The process."""
    file = Path(sys.argv.pop(1))
    Farm.tick = timed  # type: ignore[assignment,method-assign]
    try:
        multitrain()
    finally:
        file.write_text(json.dumps(TIMES))


if __name__ == "__main__":
    main()
