"""What a training tells while it runs: a line per block for the farm, scalars for TensorBoard."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from jobs.paths import JobPaths, write_text
from multitrain.curves import Curves


class Told(NamedTuple):
    """What a line tells: `step` and `frame` stand after a block that was done at `time`."""

    time: float  # unix seconds
    step: int
    frame: int
    walked: int = 0  # frames of walks that were drawn since this try began


def parse_line(line: bytes) -> Told | None:
    """None for a line that is not whole, damaged, or of another kind."""
    try:
        told = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    match told:
        case {"time": int() | float() as time, "step": int(step), "frame": int(frame), **others}:
            walked = others.get("walked", 0)
            return Told(float(time), step, frame, walked if isinstance(walked, int) else 0)
    return None


class ProgressLog:
    """Appends to `progress.jsonl` and, where there are losses, to TensorBoard."""

    def __init__(self, paths: JobPaths, wall: Callable[[], float] = time.time) -> None:
        """`wall` tells unix seconds."""
        self._paths = paths
        self._wall = wall
        self._last_frame = 0
        self._curves = Curves(paths)

    def rewind(self, step: int) -> None:
        """Drop the lines beyond `step`: they are made anew. Also broken ones, and of walks."""
        try:
            lines = self._paths.progress.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        parsed = [(line, told) for line in lines if (told := parse_line(line))]
        kept = [(line, told) for line, told in parsed if told.step <= step and not told.walked]
        write_text(self._paths.progress, "".join(f"{line.decode()}\n" for line, _ in kept))
        self._last_frame = kept[-1][1].frame if kept else 0

    def tell(
        self, step: int, frame: int, steps_per_second: float, losses: Mapping[str, float]
    ) -> None:
        """One block is done: `step` and `frame` stand after it, `losses` are its means.

        OSError where the disk takes no more; `rewind` then drops the broken line.
        """
        now = self._wall()
        told = {
            "time": now,
            "step": step,
            "frame": frame,
            "steps_per_second": round(steps_per_second, 3),
            "losses": dict(losses),
        }
        self._append(told)
        self._last_frame = frame
        if losses:
            curves = {f"loss/{name}": loss for name, loss in losses.items()}
            self._curves.draw(now, step, {**curves, "steps_per_second": steps_per_second})

    def tell_walked(self, step: int, frame: int, walked: int) -> None:
        """All is trained, and so many frames of walks have been drawn since. OSError as above."""
        self._append({"time": self._wall(), "step": step, "frame": frame, "walked": walked})

    def _append(self, told: Mapping[str, object]) -> None:
        with self._paths.progress.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")

    def tell_complete(self, step: int, frame: int) -> None:
        """Make sure that the last line says `frame`, though nothing was left to do."""
        self.rewind(step)
        if self._last_frame != frame:
            self.tell(step, frame, 0.0, {})

    def close(self) -> None:
        self._curves.close()
