"""Makes a walk: plans it, draws it block by block, has it encoded meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from jobs.errors import UsageError
from jobs.families.table import family_of
from jobs.plans.framing import Framing, framing
from jobs.settings.kinds import Resolution
from jobs.settings.loops import Duration, Length, WalkSettings, planned
from jobs.settings.videos import VIDEOS, FormatName, holds_sound
from jobs.sheets.loop_rules import ends_before, impossible_walk, walk_frame, walk_grid
from jobs.workspace.jobfile import JobFile
from multitrain.engine.session import Frames, SessionSettings
from multitrain.hearing.heard import Heard, hear
from multitrain.inference.blocks import frames_at_once
from multitrain.walking.latent_path import LatentPath
from multitrain.walking.schedule import Schedule, schedule_of
from multitrain.walking.song_path import SongPath
from multitrain.weights.moments import Moments, moment_at
from render.clips.pieces import LOSSLESS
from render.encoding.ffmpeg import Stopped
from render.encoding.formats import Quality
from render.encoding.soundtrack import Soundtrack
from render.encoding.streaming import FINE, RawVideo, encoding
from render.encoding.watching import OnProgress
from render.files.finished import finished_video

if TYPE_CHECKING:
    from multitrain.inference.network import Placed
    from multitrain.walking.sampler import Sampler


class Blocks(Protocol):
    """What draws the frames of a walk."""

    def block(self, first: int) -> Frames:
        """The frames from `first` on: `(n, height, width, channels)` uint8; fewer at the end."""


@dataclass(frozen=True)
class WalkPlan:
    """A walk through the latents of `job`, in the format `name`, before anything is drawn."""

    job: JobFile
    settings: WalkSettings
    name: FormatName

    def check(self) -> None:
        """UsageError where such a walk is impossible."""
        if reason := impossible_walk(self.job, self.settings):
            raise UsageError(f"{self.job.spec.name}: {reason}")

    @cached_property
    def heard(self) -> Heard | None:
        """What is heard in its song, which takes seconds; None without one.

        UsageError where it cannot be decoded, or is over before its part begins.
        """
        song = self.settings.song
        heard = hear(song) if song else None
        if song and heard and heard.seconds <= song.start:
            raise UsageError(ends_before(song.file, heard.seconds, song.start))
        return heard

    @cached_property
    def length(self) -> Length:
        song, heard, duration = self.settings.song, self.heard, self.settings.duration
        if song and heard:
            end = heard.seconds if song.end is None else min(song.end, heard.seconds)
            duration = Duration.of(seconds=round(end - song.start, 6))
        assert duration, "it has a length, or a song"
        return planned(duration, self.fps)

    @cached_property
    def schedule(self) -> Schedule | None:
        """When it is where, of a walk to a song."""
        song, heard = self.settings.song, self.heard
        return schedule_of(heard, song, self.frames, self.fps) if song and heard else None

    @property
    def soundtrack(self) -> Soundtrack | None:
        """The part of its song, where its format holds sound."""
        song = self.settings.song
        if not song or not holds_sound(self.name):
            return None
        return Soundtrack(song.file, Fraction(str(song.start)), Fraction(self.frames, self.fps))

    def sources(self, moments: Moments) -> tuple[Path, ...]:
        """The files that it is made of: one that is written to makes it another walk."""
        song = self.settings.song
        return (*moments.files, song.file) if song else moments.files

    @property
    def frames(self) -> int:
        return self.length.frames

    @property
    def fps(self) -> int:
        """Frames per second: at most as many as the format shows, so that none is left out."""
        return int(VIDEOS[self.name].shown_fps(self.settings.fps or self.job.spec.fps))

    @property
    def without_loss(self) -> WalkPlan:
        """The same frames, for something that is to be made of them."""
        return WalkPlan(self.job, replace(self.settings, fps=self.fps), LOSSLESS)

    @property
    def grid(self) -> Resolution:
        """The number of samples side by side, and of those one above the other."""
        return walk_grid(self.job, self.settings)

    @property
    def raw(self) -> RawVideo:
        """The video as it is drawn, before it is cut and scaled."""
        frame = walk_frame(self.job, self.settings)
        return RawVideo(*frame, self.job.plan.channels, self.fps)

    @cached_property
    def framed(self) -> Framing:
        """How it is cut and scaled; UsageError where the crop is too large."""
        size = Resolution(self.raw.width, self.raw.height)
        return framing(size, self.settings.crop, self.settings.scale)

    @property
    def path(self) -> LatentPath | SongPath:
        keyframes = self.settings.keyframes
        return self.song_path or LatentPath(self.frames, keyframes, **self._latents)

    @property
    def song_path(self) -> SongPath | None:
        """The path of a walk to a song."""
        song, schedule = self.settings.song, self.schedule
        if not song or not schedule:
            return None
        return SongPath(schedule, **self._latents, sway=song.sway, has_regions=song.sections)

    @property
    def _latents(self) -> dict[str, Any]:
        """What both kinds of paths are told."""
        spec, how = self.job.spec, self.settings
        return {
            "samples": self.grid.width * self.grid.height,
            "length": spec.z_dim,
            "distribution": spec.z_distribution,
            "seed": how.seed,
            "path": how.path,
        }

    @property
    def block_frames(self) -> int:
        """How many frames are drawn at once."""
        raw, job, grid = self.raw, self.job, self.grid
        family = family_of(job.spec)
        assert family.sampler, "walks are of families that draw samples"
        layers = family.layers(job.spec, job.image_width, job.image_height)[family.sampler]
        frame_bytes = raw.width * raw.height * raw.channels
        return frames_at_once(layers, grid.width * grid.height, frame_bytes, self.frames)


def make_walk(
    plan: WalkPlan,
    moments: Moments,
    output: Path,
    on_progress: OnProgress,
    settings: SessionSettings,
    stop: threading.Event,
    quality: Quality = FINE,
    note: str = "",
) -> None:
    """Draw and encode a walk; replaces `output`, which appears whole and verified, or not at all.

    The `note` is for the file, as of `encoding`.

    Raises Stopped soon after `stop` is set; OutOfMemory, OriginUnfit, ProgramFailed and other
    MultitrainErrors; OSError.
    """
    from multitrain.walking.sampler import Sampler

    plan.check()
    sampler = Sampler(plan.job, settings, plan.grid.height, plan.grid.width)
    encode(plan, Drawing(plan, moments, sampler), output, on_progress, stop, quality, note)


def encode(
    plan: WalkPlan,
    drawing: Blocks,
    output: Path,
    on_progress: OnProgress,
    stop: threading.Event,
    quality: Quality = FINE,
    note: str = "",
) -> None:
    """As `make_walk`: each block is written while the device draws the next."""
    raw, framed, sound = plan.raw, plan.framed, plan.soundtrack
    video = (output, plan.name, plan.frames, plan.fps, framed.size, raw.channels)
    with ExitStack() as stack:
        part = stack.enter_context(finished_video(*video, has_sound=sound is not None))
        sink = stack.enter_context(
            encoding(
                part,
                raw,
                plan.name,
                quality=quality,
                filters=framed.filters,
                size=framed.size,
                note=note,
                sound=sound,
            )
        )
        device = stack.enter_context(ThreadPoolExecutor(1, "device"))
        coming = device.submit(drawing.block, 0)
        for first in range(0, plan.frames, plan.block_frames):
            frames = coming.result()
            if stop.is_set():
                raise Stopped
            if (following := first + len(frames)) < plan.frames:
                coming = device.submit(drawing.block, following)
            sink.write(frames)
            on_progress(following)


class Drawing:
    """The frames of a walk."""

    def __init__(self, plan: WalkPlan, moments: Moments, sampler: Sampler) -> None:
        self._path, self._frames, self._block = plan.path, plan.frames, plan.block_frames
        self._moments, self._sampler = moments, sampler
        self._placed: dict[int, Placed] = {}

    def block(self, first: int) -> Frames:
        count = min(self._block, self._frames - first)
        if len(self._moments.steps) > 1:
            return np.concatenate([self._in_time(first + each) for each in range(count)])
        # Always the same number: else the last block would be compiled separately.
        latents = self._path.at(range(first, first + self._block))
        return self._sampler.draw(self._at(0), latents)[:count]

    def _in_time(self, number: int) -> Frames:
        place, share = moment_at(number, self._frames, self._moments.steps)
        self._placed = {each: self._at(each) for each in (place, place + 1)}
        a, b = self._placed.values()
        return self._sampler.draw_between(a, b, share, self._path.at([number]))

    def _at(self, place: int) -> Placed:
        """The weights of this moment, on the device."""
        if place not in self._placed:
            self._placed[place] = self._sampler.place(self._moments.load(place))
        return self._placed[place]
