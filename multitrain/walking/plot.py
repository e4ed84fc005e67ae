"""What was heard in a song, and the way that was made of it, as a picture: in rows, as music is
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from jobs.settings.songs import SongSettings
from multitrain.hearing.heard import Heard
from multitrain.hearing.spectrum import HOPS
from multitrain.walking.song_path import SongPath
from render.clips.labels import drawable, find_font

Points = NDArray[np.float64]

WIDTH, MARGIN, TOP = 1600, 56, 62  # pixels
LANES = {"song": 84, "loud": 64, "path": 64}  # heights
GAP, BETWEEN = 8, 30  # pixels between lanes, and between rows
ROW_SECONDS, MOST_ROWS = 20.0, 12

BACKGROUND, TEXT, FAINT = (18, 20, 26), (214, 218, 226), (120, 126, 140)
WAVE, ONSET, BEAT, KEY, SECTION = (
    (92, 110, 140), (255, 170, 60), (58, 64, 78), (96, 200, 255), (255, 92, 120),
)  # fmt: skip
BANDS = {"bass": (255, 120, 80), "mids": (130, 220, 120), "highs": (200, 150, 255)}
WIDE, WAYS = (60, 74, 100), ((240, 240, 240), (150, 160, 255))
LEGEND = {
    "onsets": ONSET, "beats": FAINT, "keyframes": KEY, "sections": SECTION,
    "width": (110, 136, 180), **BANDS, "first sample, its two main directions": WAYS[0],
}  # fmt: skip


def draw(heard: Heard, song: SongSettings, path: SongPath, fps: int) -> Image.Image:
    """A picture of the part that is walked to."""
    return _Plot(heard, song, path, fps).picture()


class _Plot:
    def __init__(self, heard: Heard, song: SongSettings, path: SongPath, fps: int) -> None:
        self._heard, self._song, self._path, self._fps = heard, song, path, fps
        seconds = path.schedule.frames / fps
        self._rows = min(MOST_ROWS, max(1, int(np.ceil(seconds / ROW_SECONDS))))
        self._row_seconds = seconds / self._rows
        self._row_height = sum(LANES.values()) + GAP * len(LANES) + BETWEEN
        size = (WIDTH, TOP + self._row_height * self._rows)
        self._image = Image.new("RGB", size, BACKGROUND)
        self._draw = ImageDraw.Draw(self._image)
        self._font = find_font(13)

    def picture(self) -> Image.Image:
        title = f"{self._song.file.name}: {self._heard.told}"
        self._draw.text((MARGIN, 10), drawable(title, self._font), TEXT, self._font)
        left = MARGIN
        for name, colour in LEGEND.items():
            self._draw.text((left, 34), name, colour, self._font)
            left += int(self._draw.textlength(name, self._font)) + 22
        for row in range(self._rows):
            self._row(row * self._row_seconds, TOP + row * self._row_height)
        return self._image

    def _row(self, first: float, top: int) -> None:
        """A row that begins so many seconds after the part does."""
        heard, schedule, start = self._heard, self._path.schedule, self._song.start + first
        tops, at = {}, top + BETWEEN - 8
        for lane, height in LANES.items():
            tops[lane] = at
            at += height + GAP
        bottom = at - GAP
        self._draw.text((6, tops["song"] - 2), _clock(start), TEXT, self._font)
        self._lines(heard.beats, start, BEAT, tops["song"], bottom)
        keys = schedule.keys / self._fps + self._song.start
        self._lines(keys, start, KEY, tops["loud"] - GAP, bottom)
        self._wave(start, tops["song"])
        self._lines(heard.onsets, start, ONSET, tops["song"] + 70, tops["song"] + 84)
        for number, section in enumerate(heard.sections, 2):
            self._lines([section], start, SECTION, tops["song"] - 14, bottom, 3)
            for x in self._places([section], start):
                self._draw.text((x + 6, tops["song"] - 18), f"{number}", SECTION, self._font)
        for x, key in zip(self._places(keys, start), self._within(keys, start), strict=True):
            frame = f"{round((key - self._song.start) * self._fps)}"
            self._draw.text((x + 3, tops["loud"] - GAP - 6), frame, KEY, self._font)
        self._levels(first, tops["loud"])
        self._ways(first, tops["path"])

    def _wave(self, start: float, top: int) -> None:
        waveform = self._heard.waveform
        loudest = float(np.abs(waveform).max()) or 1.0
        edges = start + np.arange(self._columns + 1) * self._row_seconds / self._columns
        hops = np.clip((edges * HOPS).astype(int), 0, len(waveform))
        middle, half = top + 36, 34
        for column, (one, other) in enumerate(pairwise(hops)):
            part = waveform[one : max(other, one + 1)]
            if len(part):
                low, high = part[:, 0].min() / loudest, part[:, 1].max() / loudest
                span = (middle - half * float(high), middle - half * float(low))
                self._draw.line([(MARGIN + column, span[0]), (MARGIN + column, span[1])], WAVE)

    def _levels(self, first: float, top: int) -> None:
        schedule, height = self._path.schedule, LANES["loud"]
        x, frames = self._frames_of(first)
        wide = top + height * (1 - schedule.width[frames])
        self._draw.polygon([(x[0], top + height), *_points(x, wide), (x[-1], top + height)], WIDE)
        for pulls, colour in zip(schedule.pulls[frames].T, BANDS.values(), strict=True):
            self._draw.line(_points(x, top + height * (1 - pulls)), colour)

    def _ways(self, first: float, top: int) -> None:
        x, frames = self._frames_of(first)
        for way, colour in zip(self._main.T[::-1], WAYS[::-1], strict=True):
            self._draw.line(_points(x, top + LANES["path"] * (0.5 - 0.48 * way[frames])), colour)

    @cached_property
    def _main(self) -> Points:
        """The first sample's latents in the two directions in which they vary most, -1 to 1."""
        frames = self._path.schedule.frames
        blocks = [range(each, min(each + 256, frames)) for each in range(0, frames, 256)]
        way = np.concatenate([self._path.at(block)[:, 0] for block in blocks]).astype(np.float64)
        way -= way.mean(axis=0)
        _, directions = np.linalg.eigh(way.T @ way)
        main = way @ directions[:, : -1 - min(2, way.shape[1]) : -1]
        main = np.pad(main, ((0, 0), (0, 2 - main.shape[1])))
        scaled: Points = main / (np.abs(main).max() or 1.0)
        return scaled

    def _frames_of(self, first: float) -> tuple[list[float], NDArray[np.int64]]:
        """The frames of a row, at most two for each column, and where they are."""
        last = min(self._path.schedule.frames, round((first + self._row_seconds) * self._fps) + 1)
        begin = min(round(first * self._fps), last - 1)
        step = max(1, (last - begin) // (2 * self._columns))
        frames = np.arange(begin, last, step)
        x = MARGIN + (frames / self._fps - first) / self._row_seconds * self._columns
        return [float(each) for each in x], frames

    def _lines(
        self, times: Iterable[float], start: float, colour: tuple[int, int, int],
        top: int, bottom: int, width: int = 1,
    ) -> None:  # fmt: skip
        for x in self._places(times, start):
            self._draw.line([(x, top), (x, bottom)], colour, width)

    def _places(self, times: Iterable[float], start: float) -> list[float]:
        within = np.array(self._within(times, start))
        return [MARGIN + float(each - start) / self._row_seconds * self._columns for each in within]

    def _within(self, times: Iterable[float], start: float) -> list[float]:
        return [float(each) for each in times if start <= each < start + self._row_seconds]

    @property
    def _columns(self) -> int:
        return WIDTH - 2 * MARGIN


def _points(x: Sequence[float], y: Points) -> list[tuple[float, float]]:
    return [(one, float(other)) for one, other in zip(x, y, strict=True)]


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"
