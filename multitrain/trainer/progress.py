"""What a training reports while it runs: a line per block for the farm, scalars for TensorBoard."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from jobs.workspace.files import write_text
from jobs.workspace.measures import MEASURES
from jobs.workspace.paths import JobPaths
from multitrain.protocol.progress_lines import parse_line
from multitrain.trainer.curves import Curves


class ProgressLog:
    """Appends to `progress.jsonl` and, where there are losses, to TensorBoard."""

    def __init__(self, paths: JobPaths, wall: Callable[[], float] = time.time) -> None:
        """`wall` returns unix seconds."""
        self._paths = paths
        self._wall = wall
        self._last_frame = 0
        self._curves = Curves(paths)

    def rewind(self, step: int) -> None:
        """Drop the lines beyond `step`, which will be made again; also broken ones and of walks."""
        try:
            lines = self._paths.progress.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        parsed = [(line, read) for line in lines if (read := parse_line(line))]
        kept = [(line, read) for line, read in parsed if read.step <= step and not read.walked]
        write_text(self._paths.progress, "".join(f"{line.decode()}\n" for line, _ in kept))
        self._last_frame = kept[-1][1].frame if kept else 0

    def tell(
        self,
        step: int,
        frame: int,
        steps_per_second: float,
        losses: Mapping[str, float],
        waited: float = 0.0,
        measures: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Report a block: `step` and `frame` are the counts after it, `losses` its means.

        `measures` are those of the networks as they are then. `waited` are the seconds so far for
        which there was no room on the disk. OSError where the disk takes no more; `rewind` then
        drops the broken line.
        """
        now = self._wall()
        block = {
            "time": now,
            "step": step,
            "frame": frame,
            "steps_per_second": round(steps_per_second, 3),
            "losses": dict(losses),
            **({"waited": round(waited, 1)} if waited else {}),
            **({MEASURES: dict(measures)} if measures else {}),
        }
        self._append(block)
        self._last_frame = frame
        curves = {f"loss/{name}": loss for name, loss in losses.items()}
        curves |= {f"measure/{name}": value for name, value in measures.items()}
        if losses:
            curves["steps_per_second"] = steps_per_second
        if curves:
            self._curves.draw(now, step, curves)

    def tell_walked(self, step: int, frame: int, walked: int) -> None:
        """Report that all is trained, and so many frames of walks drawn since. OSError as above."""
        self._append({"time": self._wall(), "step": step, "frame": frame, "walked": walked})

    def _append(self, line: Mapping[str, object]) -> None:
        with self._paths.progress.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def tell_complete(self, step: int, frame: int) -> None:
        """Make sure that the last line says `frame`, though nothing was left to do."""
        self.rewind(step)
        if self._last_frame != frame:
            self.tell(step, frame, 0.0, {})

    def close(self) -> None:
        self._curves.close()
