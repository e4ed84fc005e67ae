"""Films of several jobs side by side in one video: where each stands, and ffmpeg's command for it.

Pure. With `by="step"` all films are at the same step in every frame, however many frames a step of
each makes, or however many steps lie between two; steps are counted from where each film begins.
With `by="frame"` all are at the same frame. A film that ends before others holds its last frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from render.encoding.commands import (
    FILTER_THREADS,
    QUIET,
    Command,
)
from render.encoding.containers import BITEXACT, TICKS
from render.encoding.formats import BT709, ENCODER_THREADS
from render.encoding.pixels import LIMITED

By = Literal["step", "frame"]

LEAST_HEIGHT = 180  # pixels of a film: smaller ones are enlarged, so that their names can be read
LARGEST_SIDE = 4096  # pixels of the comparison: where films would make it larger, they shrink
ADVISED_ASPECT = 16 / 9
GAP = 4  # pixels between films
CRF, PRESET = 17, "medium"


class Take(NamedTuple):
    """What one job shows: its film, or its timecuts in their order."""

    name: str
    files: tuple[Path, ...]
    frames: int
    width: int
    height: int
    fps: int
    rate: Fraction  # frames per step


class Area(NamedTuple):
    """A rectangle of the comparison, in pixels; all even."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Comparison:
    """Where everything stands. With `columns` None there are as many as make it about 16:9."""

    takes: tuple[Take, ...]
    by: By = "step"
    columns: int | None = None
    labels: bool = True

    @cached_property
    def fps(self) -> int:
        """Frames per second: those of the fastest film."""
        return max(take.fps for take in self.takes)

    @cached_property
    def frames(self) -> int:
        """Frames of the comparison: as many as the longest film takes."""
        return max(take.frames * self.repeats(take) for take in self.takes)

    def repeats(self, take: Take) -> int:
        """How many frames of the comparison show one of `take`."""
        return 1 if self.by == "frame" else int(self._rate / take.rate)

    @cached_property
    def _rate(self) -> Fraction:
        """Frames of the comparison per step: the least that is a multiple of each film's."""
        rates = [take.rate for take in self.takes]
        return Fraction(
            math.lcm(*(each.numerator for each in rates)),
            math.gcd(*(each.denominator for each in rates)),
        )

    def ends_early(self) -> Iterator[tuple[Take, float]]:
        """Films that are shorter than the longest, and for how many seconds they are held."""
        for take in self.takes:
            missing = self.frames - take.frames * self.repeats(take)
            if missing:
                yield take, missing / self.fps

    @property
    def width(self) -> int:
        return self._grid.width

    @property
    def height(self) -> int:
        return self._grid.height

    def label_areas(self) -> list[Area]:
        """The strips above the films, in the order of the takes; none without labels."""
        grid = self._grid
        return [Area(*grid.corner(n), grid.cell_width, grid.strip) for n in self._each()]

    def film_areas(self) -> list[Area]:
        """Where the films are, in the order of the takes: of one height, in the middle of cells."""
        grid, areas = self._grid, []
        for number, take in enumerate(self.takes):
            x, y = grid.corner(number)
            width = _width(take, grid.film_height)
            inset = _even((grid.cell_width - width) // 2)
            areas.append(Area(x + inset, y + grid.strip, width, grid.film_height))
        return areas

    def _each(self) -> range:
        return range(len(self.takes) if self.labels else 0)

    @cached_property
    def _grid(self) -> _Grid:
        if self.columns is not None:
            return self._grid_of(min(self.columns, len(self.takes)))
        grids = [self._grid_of(columns) for columns in range(1, len(self.takes) + 1)]
        return min(grids, key=lambda grid: abs(math.log(grid.width / grid.height / ADVISED_ASPECT)))

    def _grid_of(self, columns: int) -> _Grid:
        height = max(LEAST_HEIGHT, *(take.height for take in self.takes))
        grid = self._sized(columns, height)
        while grid.longest_side > LARGEST_SIDE and height > 2:
            height = min(height - 2, height * LARGEST_SIDE // grid.longest_side)
            grid = self._sized(columns, height)
        return grid

    def _sized(self, columns: int, height: int) -> _Grid:
        height = max(2, _even(height))
        strip = max(20, _even(height // 12)) if self.labels else 0
        cell_width = max(_width(take, height) for take in self.takes)
        return _Grid(columns, -(-len(self.takes) // columns), cell_width, height, strip)


class _Grid(NamedTuple):
    columns: int
    rows: int
    cell_width: int
    film_height: int
    strip: int  # pixels above a film

    @property
    def width(self) -> int:
        return self.columns * (self.cell_width + GAP) - GAP

    @property
    def height(self) -> int:
        return self.rows * (self.strip + self.film_height + GAP) - GAP

    @property
    def longest_side(self) -> int:
        return max(self.width, self.height)

    def corner(self, number: int) -> tuple[int, int]:
        """The upper left corner of a cell; cells are counted row by row from 0."""
        row, column = divmod(number, self.columns)
        return column * (self.cell_width + GAP), row * (self.strip + self.film_height + GAP)


def comparison_command(
    ffmpeg: str,
    plan: Comparison,
    canvas: Path,
    inputs: Sequence[Path],
    progress: Path,
    output: Path,
) -> Command:
    """Lay the films over the picture `canvas`, which is as large as the comparison.

    `inputs` has a video or a list for the concat demuxer per take. ffmpeg reports its progress to
    the file `progress`.
    """
    command = [ffmpeg, *QUIET, "-filter_complex_threads", str(FILTER_THREADS)]
    command += ["-xerror", "-progress", str(progress.absolute())]
    command += ["-framerate", str(plan.fps), "-i", str(canvas.absolute())]
    for take, source in zip(plan.takes, inputs, strict=True):
        is_list = len(take.files) > 1
        command += ["-f", "concat", "-safe", "0"] if is_list else []
        command += ["-i", str(source.absolute())]
    command += ["-filter_complex", _graph(plan), "-map", "[out]", "-frames:v", str(plan.frames)]
    command += ["-c:v", "libx264", "-profile:v", "high", "-crf", str(CRF), "-preset", PRESET]
    command += ["-g", str(plan.fps), "-bf", "0", "-flags", "+cgop+bitexact"]
    command += ["-threads", str(ENCODER_THREADS), "-color_range", "tv", *BT709]
    command += [*BITEXACT, "-movflags", "+faststart"]
    command += ["-video_track_timescale", str(TICKS * plan.fps), "-f", "mp4"]
    return [*command, str(output.absolute())]


def _graph(plan: Comparison) -> str:
    """Each film is laid over those before it. `overlay` holds the last frame of one that ended."""
    clock = f"settb=1/{plan.fps},setpts=N"
    # The canvas is converted once, then repeated for ever.
    parts = [f"[0:v]{_bt709('')}format=yuv420p,loop=loop=-1:size=1,{clock}[under0]"]
    for number, (take, area) in enumerate(zip(plan.takes, plan.film_areas(), strict=True)):
        size = f"{area.width}:{area.height}:flags=lanczos+accurate_rnd+full_chroma_int+bitexact:"
        pace = f"{clock}*{plan.repeats(take)}"
        parts.append(f"[{number + 1}:v]{pace},{_bt709(size)}format=yuva420p[film{number}]")
        parts.append(
            f"[under{number}][film{number}]overlay=x={area.x}:y={area.y}:eof_action=repeat"
            f"[under{number + 1}]"
        )
    parts.append(f"[under{len(plan.takes)}]{LIMITED}[out]")
    return ";".join(parts)


def _bt709(size: str) -> str:
    return f"scale={size}out_color_matrix=bt709:out_range=tv,"


def _width(take: Take, height: int) -> int:
    """The width of a film that is scaled to `height`."""
    return max(2, _even(round(take.width * height / take.height)))


def _even(pixels: int) -> int:
    return pixels - pixels % 2
