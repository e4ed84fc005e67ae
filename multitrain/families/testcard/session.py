"""Trains nothing: frames that show their own number, to try a farm, a disk and codecs in seconds.

Every cell of the grid (so every box, however the grid is cut) carries the frame number twice: in
digits for people, and as black and white blocks for `read_number`, the lowest bit first, row by row
from the lower left of the cell. Blocks are as large as a third of the cell's height allows, so that
they outlive H.264; behind them a slow wave of colour runs, another phase in each cell. Where frames
have alpha, a wave of it runs, too; digits and blocks are opaque.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jobs.plans.timing import Timing
from jobs.settings.colours import RGB
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import Feeds
from multitrain.engine.session import Block, Frames, SessionSettings, State

BITS = 25  # the longest film (a day at 240 frames/s) has fewer than 2**25 frames
BLACK, WHITE, THRESHOLD = 0, 255, 128

WAVE_PERIOD = 256  # frames, and levels of a phase in a byte
WAVE_SPEED = (1, 2, 1, 1)  # turns of red, green, blue, alpha per period; whole, so that it closes

# 3x5 pixels a digit, a row in three bits, the top row first.
GLYPH_ROWS = [
    (7, 5, 5, 5, 7), (2, 6, 2, 2, 7), (7, 1, 7, 4, 7), (7, 1, 7, 1, 7), (5, 5, 7, 1, 1),
    (7, 4, 7, 1, 7), (7, 4, 7, 5, 7), (7, 1, 1, 1, 1), (7, 5, 7, 5, 7), (7, 5, 7, 1, 7),
]  # fmt: skip
GLYPH_HEIGHT, GLYPH_PITCH = 5, 4  # pixels, the gap to the next digit included


def open_session(
    job: JobFile,
    feeds: Feeds,  # noqa: ARG001
    settings: SessionSettings,  # noqa: ARG001
) -> TestCard:
    """Needs neither the pictures nor the settings: the size of a cell stands in the job."""
    spec = job.spec
    return TestCard(
        card=Card(job.image_width, job.image_height, digits=len(str(job.frames_planned_first - 1))),
        rows=spec.grid_height,
        columns=spec.grid_width,
        timing=job.plan.timing,
        channels=job.plan.channels,
    )


def read_number(frame: Frames, width: int, height: int) -> int:
    """The number that `frame`, `(frame_height, frame_width, channels)`, shows in every cell.

    `width` and `height` are the size of a cell in pixels. Cells of fewer than 25 pixels show only
    the lowest bits. Raises ValueError where cells disagree, as no intact frame's do.
    """
    blocks = Blocks.fitting(width, height)
    numbers = {
        blocks.decode(frame[y : y + height, x : x + width])
        for y in range(0, frame.shape[0], height)
        for x in range(0, frame.shape[1], width)
    }
    if len(numbers) > 1:
        raise ValueError(f"the cells show different numbers: {sorted(numbers)}")
    return numbers.pop()


class TestCard:
    """A `Session` without a network."""

    __test__ = False  # nothing for pytest to collect

    def __init__(
        self, card: Card, rows: int, columns: int, timing: Timing, channels: int = RGB
    ) -> None:
        self.step = 0
        self.detours = 0
        self._card = card
        self._rows, self._columns = rows, columns
        self._timing = timing
        self._channels = channels
        self._phases = self._wave_phases()

    def warm_up(self) -> None:
        pass

    def run(self, steps: int) -> Block:
        first = self._timing.frames_by(self.step)
        self.step += steps
        frames = np.empty(
            (self._timing.frames_by(self.step) - first, *self._phases.shape), np.uint8
        )
        for place in range(len(frames)):
            frames[place] = self.draw(first + place)
        return Block(frames)

    def last_frame(self) -> Frames:
        return self.draw(self._timing.frames_by(self.step) - 1)[None]

    def measured(
        self,
        is_wanted: Callable[[], bool] = lambda: True,  # noqa: ARG002 - there is nothing to measure
    ) -> dict[str, float]:
        return {}

    def follow(self, measured: object) -> None:
        """Nothing learns here."""

    def state(self) -> State:
        return {"step": np.array(self.step), "detours": np.array(self.detours)}

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:  # noqa: ARG002 - it has none
        return []

    def restore(self, state: State) -> None:
        self.step, self.detours = int(state["step"]), int(state["detours"])

    def draw(self, number: int) -> Frames:
        """Frame `number`: `(frame_height, frame_width, channels)` uint8."""
        frame = np.empty(self._phases.shape, np.uint8)
        for channel, speed in enumerate(WAVE_SPEED[: self._channels]):
            lights = np.roll(_WAVE, -speed * number)
            np.take(lights, self._phases[..., channel], out=frame[..., channel])
        height, width = self._card.height, self._card.width
        cells = frame.reshape(self._rows, height, self._columns, width, self._channels)
        self._card.draw(cells.transpose(0, 2, 1, 3, 4), number)
        return frame

    def _wave_phases(self) -> Frames:
        """Where in its period each value's wave stands at frame 0, in the shape of a frame."""
        y, x = np.mgrid[: self._card.height, : self._card.width]
        slope = (x / self._card.width + y / self._card.height) * WAVE_PERIOD / 3
        cell = np.arange(self._rows * self._columns).reshape(self._rows, 1, self._columns, 1, 1)
        offsets = np.arange(self._channels) * WAVE_PERIOD // 3
        shift = cell * WAVE_PERIOD // cell.size
        phases = (slope[None, :, None, :, None] + offsets + shift).astype(np.int64) % WAVE_PERIOD
        size = (self._rows * self._card.height, self._columns * self._card.width, self._channels)
        frame: Frames = phases.astype(np.uint8).reshape(size)
        return frame


_WAVE = (110 + 70 * np.sin(np.arange(WAVE_PERIOD) * 2 * np.pi / WAVE_PERIOD)).astype(np.uint8)


@dataclass(frozen=True)
class Card:
    """What a cell shows over the wave. Sizes in pixels; too small a cell shows no digits."""

    width: int
    height: int
    digits: int

    @cached_property
    def blocks(self) -> Blocks:
        return Blocks.fitting(self.width, self.height)

    def draw(self, cells: Frames, number: int) -> None:
        """Draw on a view of all cells: `(rows, columns, height, width, channels)` uint8."""
        self.blocks.draw(cells, number)
        digits = max(self.digits, len(str(number)))  # more where the film was made longer since
        scale = self._scale(digits)
        if scale == 0:
            return
        mask = np.kron(_digits(number, digits), np.ones((scale, scale), bool))
        height, width = mask.shape
        top = (self.height - self.blocks.height - height) // 2
        left = (self.width - width) // 2
        cells[:, :, top : top + height, left : left + width][:, :, mask] = WHITE

    def _scale(self, digits: int) -> int:
        """Pixels of a dot of a digit."""
        free = self.height - self.blocks.height
        return min(self.width * 4 // 5 // (GLYPH_PITCH * digits), free * 3 // 5 // GLYPH_HEIGHT)


@dataclass(frozen=True)
class Blocks:
    """A number in black and white squares of `side` pixels at the foot of a cell."""

    side: int
    columns: int
    rows: int
    bits: int

    @classmethod
    def fitting(cls, width: int, height: int) -> Self:
        """The largest blocks in a third of the cell's height at most; in small cells, in more."""
        bits = min(BITS, width * height)
        layouts = []
        for side in range(1, width + 1):
            columns = min(width // side, bits)
            layouts.append(cls(side, columns, -(-bits // columns), bits))
        for share in (height // 3, height // 2, height):
            fitting = [layout for layout in layouts if layout.height <= share]
            if fitting:
                return fitting[-1]
        raise ValueError("a cell has at least one pixel")

    @property
    def height(self) -> int:
        return self.rows * self.side

    def draw(self, cells: Frames, number: int) -> None:
        lit = (number >> np.arange(self.rows * self.columns)) & 1
        squares = np.where(lit.reshape(self.rows, self.columns), WHITE, BLACK)[::-1]
        area = np.kron(squares, np.ones((self.side, self.side), int)).astype(np.uint8)
        place = cells[:, :, -self.height :, : area.shape[1]]
        place[..., :RGB] = area[:, :, None]
        place[..., RGB:] = WHITE  # opaque

    def decode(self, cell: Frames) -> int:
        """The number in `cell`, `(height, width, channels)` uint8, by the middle of its squares."""
        area = cell[-self.height :, : self.columns * self.side, :RGB].mean(axis=2)
        squares = area.reshape(self.rows, self.side, self.columns, self.side)
        margin = self.side // 4
        middle = squares[:, margin : self.side - margin, :, margin : self.side - margin]
        lit = middle.mean(axis=(1, 3))[::-1].ravel() > THRESHOLD
        return sum(1 << bit for bit in range(self.bits) if lit[bit])


def _digits(number: int, digits: int) -> NDArray[np.bool_]:
    """A mask of the decimal digits, `(5, 4 * digits - 1)`, with leading zeros."""
    columns = []
    for digit in f"{number:0{digits}d}":
        rows = np.array(GLYPH_ROWS[int(digit)])[:, None]
        columns.append(rows >> np.array([2, 1, 0]) & 1)
        columns.append(np.zeros((GLYPH_HEIGHT, 1), int))
    return np.hstack(columns[:-1]).astype(bool)
