"""Makes a loop of a film: looks for the best place, mixes, encodes, verifies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.plans.cycles import Cycle, Footage, Moment, plan_loop_in
from jobs.plans.framing import Corner, framing
from jobs.settings.kinds import Resolution
from jobs.settings.loops import ClipSettings
from jobs.settings.videos import FormatName
from render.clips.alike import best_start, quiet_turn
from render.clips.sampling import Settled, settled_frame
from render.clips.smoothing import smoothed
from render.encoding.formats import Quality
from render.encoding.pixels import by_cover
from render.encoding.streaming import FINE, FrameSink, RawVideo, encoding
from render.encoding.watching import OnProgress
from render.files.film import Film
from render.files.finished import finished_video
from render.files.mixing import mixed
from render.files.reading import FilmReader, frames_in_order

SAMPLED = 64  # rows and columns that are compared, about: picked, for scaling would hide noise
SMALL = Resolution(24, 13)  # pixels of pictures that are compared: 200 MB an hour at 60 fps


@dataclass(frozen=True)
class Made:
    """The loop that was made. `start`, `earliest`, `settled`, `taken` are seconds of the film."""

    frames: int
    fps: int
    drift: Fraction  # seconds that it is longer (+) or shorter than was asked
    start: float  # where it was cut
    earliest: float  # the earliest possible start; for `best`, `start` may be later
    settled: float | None  # where the picture has settled; None where a start was given
    settled_in_time: bool  # False: not in the first half; `settled` is the middle of the film
    taken: float  # how much of the film it shows
    fade: float  # seconds of the loop; 0 for pingpong
    size: Resolution
    framed: str  # how it was cut and scaled, in words; empty where it was not

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    @property
    def told(self) -> str:
        """How long it is, for people."""
        return f"{self.frames} frames at {self.fps} fps, {self.seconds:.3f} s"


class Planned(NamedTuple):
    """A loop before it is made."""

    cycle: Cycle  # for mode `best` still at the earliest start
    settled: Settled | None  # None: a start was given
    films: tuple[Film, ...]  # that it was planned for


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
    on_progress: OnProgress,
    *,
    corner: Corner | None = None,
    quality: Quality = FINE,
    planned: Planned | None = None,
    within: float | None = None,
    note: str = "",
) -> Made:
    """Cut a loop from `sources`, one film or its timecuts in their order; replaces `output`.

    `output` appears whole and verified, or not at all. The crop begins at `corner`, else it is cut
    from the middle. One of mode `best` begins `within` so many seconds of its earliest start; None:
    anywhere in the film behind it. `planned` is what `plan_clip` gave, where that is known.
    `encoding` writes the `note` into the file. UsageError where the film is too short or too small,
    MultitrainError where it cannot be read, ProgramFailed where ffmpeg fails.
    """
    with ExitStack() as stack:
        films = planned.films if planned else tuple(map(Film.look, sources))
        # The head and the tail of a fade are read at once, each in its order.
        readers = [stack.enter_context(FilmReader(films)) for _ in range(2)]
        form = readers[0].format
        framed = framing(readers[0].size, settings.crop, settings.scale, corner)
        if settings.scale and readers[0].has_alpha:
            framed = framed._replace(filters=by_cover(framed.filters))
        earliest, settled, _ = planned or plan_clip(films, settings, name, on_progress)
        cycle = earliest
        if settings.mode == "best":
            cycle = replace(cycle, start=_best_start(films, cycle, within, on_progress))
        is_drawn_between = settings.smooth and cycle.lies_between
        # A pingpong whose start is given begins there, and not at a quiet step beside it.
        begins_anywhere = settings.mode != "pingpong" or (settled and settled.frame)
        if begins_anywhere and not is_drawn_between:
            cycle = replace(cycle, turn=quiet_turn(_steps(cycle, readers, on_progress)))
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
                part,
                raw,
                name,
                quality=quality,
                filters=drawn.filters,
                size=framed.size,
                note=note,
            ) as sink,
        ):
            _write(drawn, readers, sink, on_progress)
    return Made(
        frames=cycle.frames,
        fps=cycle.fps,
        drift=cycle.drift,
        start=float(cycle.start / form.fps),
        earliest=float(earliest.start / form.fps),
        settled=None if settled is None else float(settled.frame / form.fps),
        settled_in_time=settled is None or settled.in_time,
        taken=float(cycle.taken / form.fps),
        fade=cycle.fade * cycle.frames / (cycle.moments * cycle.fps),
        size=framed.size,
        framed=framed.told,
    )


def plan_clip(
    sources: Sequence[Path | Film],
    settings: ClipSettings,
    name: FormatName,
    on_progress: OnProgress,
) -> Planned:
    """How long the loop will be, and where it begins: a function of the film and the settings.

    Raises what `make_loop` would where the film is too short or cannot be read.
    """
    with FilmReader(sources, small=SMALL) as reader:
        footage = Footage(reader.frames, reader.format.fps)
        plan_loop_in(name, settings, footage)  # raises before anything is decoded
        settled = None if settings.start is not None else settled_frame(reader, on_progress)
    frame = settled.frame if settled else 0
    return Planned(plan_loop_in(name, settings, footage, frame), settled, reader.films)


def _best_start(
    films: Sequence[Film], cycle: Cycle, within: float | None, on_progress: OnProgress
) -> int:
    with FilmReader(films, small=SMALL) as reader:
        values = SMALL.width * SMALL.height * reader.channels
        looked_at = reader.frames - cycle.start
        if within is not None:
            looked_at = min(looked_at, cycle.taken + int(within * float(reader.format.fps)))
        pictures = np.empty((looked_at, values), np.uint8)
        frames = islice(frames_in_order(reader, cycle.start), looked_at)
        for place, frame in enumerate(frames):
            pictures[place] = frame.reshape(-1)
            on_progress(0)
    return best_start(pictures, cycle)


def _steps(cycle: Cycle, readers: Sequence[FilmReader], on_progress: OnProgress) -> list[float]:
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
        on_progress(0)
    return [float(np.abs(first - before).mean()), *steps]


def _write(
    drawn: _Drawn, readers: Sequence[FilmReader], sink: FrameSink, on_progress: OnProgress
) -> None:
    for number, picture in enumerate(_pictures(drawn.moments, readers), 1):
        sink.write(picture)
        on_progress(number * drawn.cycle.frames // drawn.written)


def _pictures(
    moments: Iterator[Moment], readers: Sequence[FilmReader]
) -> Iterator[NDArray[np.uint8]]:
    for moment in moments:
        pictures = [reader[part.frame] for part, reader in zip(moment, readers, strict=False)]
        yield mixed(pictures, [part.weight for part in moment])
