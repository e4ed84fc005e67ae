"""Makes a loop of a film: looks for the best place, mixes, encodes, verifies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.cycles import Cycle, Footage, Moment, plan_loop_in
from jobs.framing import Corner, framing
from jobs.kinds import Resolution
from jobs.loops import ClipSettings
from jobs.videos import FormatName
from render.clips.alike import best_start, quiet_turn
from render.clips.mixing import mixed
from render.clips.smoothing import smoothed
from render.finished import finished_video
from render.formats import Quality
from render.reading import FilmReader, frames_in_order
from render.streaming import FINE, FrameSink, RawVideo, encoding
from render.watching import Told

SAMPLED = 64  # rows and columns that are compared, about: not scaled, for that would hide noise
SMALL = Resolution(24, 13)  # pixels of pictures that are compared: 200 MB an hour at 60 fps


@dataclass(frozen=True)
class Made:
    """What became of it. Seconds are those of the film for `start` and `taken`."""

    frames: int
    fps: int
    drift: Fraction  # seconds that it is longer (+) or shorter than was asked
    start: float  # where it was cut
    taken: float  # how much of the film it shows
    fade: float  # seconds of the loop; 0 for pingpong
    size: Resolution
    framed: str  # how it was cut and scaled, in words; empty where it was not

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


class _Drawn(NamedTuple):
    """What ffmpeg gets for a loop."""

    cycle: Cycle
    filters: str
    moments: Iterator[Moment]
    written: int  # moments


def make_loop(
    sources: Sequence[Path],
    settings: ClipSettings,
    name: FormatName,
    output: Path,
    told: Told,
    *,
    corner: Corner | None = None,
    quality: Quality = FINE,
) -> Made:
    """Cut a loop from `sources`, one film or its timecuts in their order; replaces `output`.

    `output` appears whole and verified, or not at all. The crop begins at `corner`, else it is cut
    from the middle. UsageError where the film is too short or too small, MultitrainError where it
    cannot be read, ProgramFailed where ffmpeg fails.
    """
    with ExitStack() as stack:
        # The head and the tail of a fade are read at once, each in its order.
        readers = [stack.enter_context(FilmReader(sources)) for _ in range(2)]
        form = readers[0].format
        framed = framing(readers[0].size, settings.crop, settings.scale, corner)
        cycle = _plan(readers[0], settings, name)
        if settings.mode == "best":
            cycle = replace(cycle, start=_best_start(sources, cycle, told))
        is_drawn_between = settings.smooth and cycle.lies_between
        if settings.mode != "pingpong" and not is_drawn_between:
            cycle = replace(cycle, turn=quiet_turn(_steps(cycle, readers, told)))
        drawn = _Drawn(cycle, framed.filters, cycle.shown(), cycle.frames)
        if is_drawn_between:
            drawn = _Drawn(
                cycle,
                *smoothed(cycle, framed.filters, readers[0].size, has_alpha=readers[0].has_alpha),
            )
        raw = RawVideo(*readers[0].size, readers[0].channels, cycle.fps)
        with (
            finished_video(
                output, name, cycle.frames, cycle.fps, framed.size, raw.channels
            ) as part,
            encoding(
                part, raw, name, quality=quality, filters=drawn.filters, size=framed.size
            ) as sink,
        ):
            _write(drawn, readers, sink, told)
    return Made(
        frames=cycle.frames,
        fps=cycle.fps,
        drift=cycle.drift,
        start=float(cycle.start / form.fps),
        taken=float(cycle.taken / form.fps),
        fade=cycle.fade * cycle.frames / (cycle.moments * cycle.fps),
        size=framed.size,
        framed=framed.told,
    )


def planned_frames(sources: Sequence[Path], settings: ClipSettings, name: FormatName) -> int:
    """How many the loop will have. Raises what `make_loop` would, as far as films are too short."""
    with FilmReader(sources) as reader:
        return _plan(reader, settings, name).frames


def _plan(reader: FilmReader, settings: ClipSettings, name: FormatName) -> Cycle:
    return plan_loop_in(name, settings, Footage(reader.frames, reader.format.fps))


def _best_start(sources: Sequence[Path], cycle: Cycle, told: Told) -> int:
    with FilmReader(sources, small=SMALL) as reader:
        values = SMALL.width * SMALL.height * reader.channels
        pictures = np.empty((reader.frames - cycle.start, values), np.uint8)
        for place, frame in enumerate(frames_in_order(reader, cycle.start)):
            pictures[place] = frame.reshape(-1)
            told(0)
    return best_start(pictures, cycle)


def _steps(cycle: Cycle, readers: Sequence[FilmReader], told: Told) -> list[float]:
    """How much each frame of the loop differs from the one before it, by some of its pixels."""
    sides = zip(readers[0].size[::-1], (SAMPLED, SAMPLED), strict=True)
    sampled = tuple(slice(None, None, max(1, side // most)) for side, most in sides)
    pictures = _pictures(cycle.shown(), readers)
    first = before = next(pictures)[sampled].astype(np.int16)
    steps = []
    for picture in pictures:
        now = picture[sampled].astype(np.int16)
        steps.append(float(np.abs(now - before).mean()))
        before = now
        told(0)
    return [float(np.abs(first - before).mean()), *steps]


def _write(drawn: _Drawn, readers: Sequence[FilmReader], sink: FrameSink, told: Told) -> None:
    for number, picture in enumerate(_pictures(drawn.moments, readers), 1):
        sink.write(picture)
        told(number * drawn.cycle.frames // drawn.written)


def _pictures(
    moments: Iterator[Moment], readers: Sequence[FilmReader]
) -> Iterator[NDArray[np.uint8]]:
    for moment in moments:
        pictures = [reader[part.frame] for part, reader in zip(moment, readers, strict=False)]
        yield mixed(pictures, [part.weight for part in moment])
