"""`multitrain`, its farm's ticks timed: `python -m benchmarks.timed_ticks FILE ARGUMENT…`.

When it ends, the seconds of each tick lie in FILE, as JSON. A process of `serving_load`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from multitrain.commands.cli import main as multitrain
from multitrain.farm.events import Event
from multitrain.farm.farm import Farm

SECONDS: list[float] = []
TICK = Farm.tick


def timed(farm: Farm, now: float) -> list[Event]:
    """A tick of a farm."""
    begun = time.perf_counter()
    try:
        return TICK(farm, now)
    finally:
        SECONDS.append(time.perf_counter() - begun)


def main() -> None:
    """The process."""
    file = Path(sys.argv.pop(1))
    Farm.tick = timed  # type: ignore[method-assign]
    try:
        multitrain()
    finally:
        file.write_text(json.dumps(SECONDS))


if __name__ == "__main__":
    main()
