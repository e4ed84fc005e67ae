"""When a walk to a song is where, by the number of the frame. Pure.

Keyframes stand at beats: at the frame that is shown nearest to one. How loud the song is then makes
the way wide or narrow, and three bands of it pull.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.settings.songs import SongSettings
from multitrain.hearing.heard import Heard
from multitrain.hearing.spectrum import HOPS

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

LEAST_KEYS = 4  # of a closed way: as many as a frame is mixed of
LOUDNESS_FADES, BAND_FADES = (
    0.3,
    0.15,
)  # seconds in which what has ended falls to 1/e; it rises at once


@dataclass(frozen=True, eq=False)
class Schedule:
    """Of a walk of `frames` frames.

    Of a way that is not closed, one keyframe stands at the first frame or before, and one behind
    the last frame.
    """

    frames: int
    closed: bool
    keys: Numbers  # frames at which keyframes stand, in order
    regions: Numbers  # (keys,): the section of the song that each is in
    places: Floats  # (frames,): 2.25 is a quarter of the way from `keys[2]` to the next one
    width: Floats  # (frames,): from `quiet` to 1
    pulls: Floats  # (frames, 3): of bass, mids and highs, 0 to 1


def schedule_of(heard: Heard, song: SongSettings, frames: int, fps: int) -> Schedule:
    """Of so many frames from where the song's part begins."""
    keys = _keys(heard, song, frames, fps)
    places = _closed_places(keys, frames) if song.closed else _open_places(keys, frames)
    times = song.start + keys / fps
    # Half a frame later: a keyframe may stand a little before the beat at which a section begins.
    regions = np.searchsorted(heard.sections, times + 0.5 / fps, side="right")
    levels = np.concatenate([heard.loudness[:, np.newaxis], heard.bands], axis=1)
    fades = np.array([LOUDNESS_FADES] + [BAND_FADES] * 3)
    faded = _fading(_of_frames(levels, song.start, frames, fps), fades * fps, closed=song.closed)
    width = song.quiet + (1 - song.quiet) * faded[:, 0]
    return Schedule(frames, song.closed, keys, regions, places, width, faded[:, 1:])


def _keys(heard: Heard, song: SongSettings, frames: int, fps: int) -> Numbers:
    """The first beat of the part is a keyframe; then each `every`th."""
    numbers = np.round((heard.beats - song.start) * fps).astype(np.int64)
    keys = np.unique(numbers[(numbers >= 0) & (numbers < frames)])[:: song.every]
    if song.closed:
        enough = len(keys) >= LEAST_KEYS
        first = keys[0] if len(keys) else 0
        return keys if enough else np.unique(first + np.arange(LEAST_KEYS) * frames // LEAST_KEYS)
    if not len(keys):
        return np.array([0, frames])
    steps = np.diff(keys) if len(keys) > 1 else np.array([frames])
    before = [keys[0] - max(steps[0], keys[0])] if keys[0] else []
    return np.concatenate([before, keys, [max(keys[-1] + steps[-1], frames)]]).astype(np.int64)


def _open_places(keys: Numbers, frames: int) -> Floats:
    places: Floats = np.interp(np.arange(frames), keys, np.arange(len(keys)))
    return places


def _closed_places(keys: Numbers, frames: int) -> Floats:
    """From the last keyframe it goes on to the first one."""
    number = np.arange(frames)
    later = np.where(number < keys[0], number + frames, number)
    places: Floats = np.interp(later, [*keys, keys[0] + frames], np.arange(len(keys) + 1))
    return places % len(keys)


def _of_frames(levels: NDArray[np.float32], start: float, frames: int, fps: int) -> Floats:
    """The largest level while each frame is the nearest one: `(frames, levels)`."""
    exact = (start + (np.arange(frames) - 0.5) / fps) * HOPS
    edges = np.clip(np.round(exact).astype(np.int64), 0, len(levels) - 1)
    last = min(len(levels), round((start + (frames - 0.5) / fps) * HOPS))
    largest: Floats = np.maximum.reduceat(levels[: max(last, edges[-1] + 1)], edges, axis=0)
    return largest.astype(np.float64)


def _fading(levels: Floats, fades: Floats, *, closed: bool) -> Floats:
    """Levels that rise at once, and fall in so many frames; of a closed walk, round and round."""
    stays = np.exp(-1 / fades)
    level = np.zeros(levels.shape[1])
    faded = np.empty_like(levels)
    for _ in range(2 if closed else 1):
        for number, now in enumerate(levels):
            level = np.maximum(now, level * stays)
            faded[number] = level
    return faded
