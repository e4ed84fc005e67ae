"""About how much room videos will take: measured of some films, rounded up generously."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from jobs.errors import UsageError
from jobs.plans.cycles import Footage, plan_loop_in
from jobs.plans.framing import framing
from jobs.settings.loops import Duration, Loop, planned
from jobs.settings.songs import SongSettings
from jobs.settings.spec import JobSpec
from jobs.settings.videos import VIDEOS, FormatName
from jobs.sheets.loop_rules import shown_before
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import Export, Extra, LoopFile, format_of

# DCGAN films of the demo data set took 0.45 to 0.63 bits per pixel at crf 17. Twice that is
# assumed, for networks that do not settle. Six crf more or less halve or double it.
VIDEO_BYTES_PER_PIXEL = 1.2 / 8
REFERENCE_CRF = 17
CRF_PER_DOUBLING = 6
PNG_BYTES_PER_VALUE = 2.0 / 3  # 1.9 to 2.0 per pixel of the same films
BYTES_PER_VALUE: dict[FormatName, float] = {"png": PNG_BYTES_PER_VALUE}
# Relative to h264. Formats that encode every frame by itself take more, of slow films above all.
# H.265 without B-frames takes 1.1 times as much of frames of noise, in 8 bits as in 10.
VIDEO_BYTES: dict[FormatName, float] = {
    "h264-intra": 4.0, "h265": 1.15, "h265-10bit": 1.15, "webm": 1.25,
}  # fmt: skip
# Formats that know no crf: measured of noisy frames, with alpha where the format keeps it.
OWN_BYTES_PER_PIXEL: dict[FormatName, float] = {
    "hap": 0.5, "hap-alpha": 1.0, "hap-q": 1.0, "dxv": 0.55, "prores": 0.85, "prores-4444": 5.0,
    "ffv1": 3.4, "dpx": 4.1, "gif": 1.1,
}  # fmt: skip


MOST_SECONDS = 600.0  # that a song is taken for whose header does not say how long it lasts
MOST_TIMES = 4  # as large on each side as a loop may become that another job's network enlarges


def bytes_per_pixel(name: FormatName, spec: JobSpec, channels: int) -> float:
    """Bytes that a video of this format takes for each pixel of each frame."""
    if name in BYTES_PER_VALUE:
        return BYTES_PER_VALUE[name] * channels
    if name in OWN_BYTES_PER_PIXEL:
        return OWN_BYTES_PER_PIXEL[name]
    growth: float = 2 ** ((REFERENCE_CRF - spec.crf) / CRF_PER_DOUBLING)
    return VIDEO_BYTES_PER_PIXEL * VIDEO_BYTES.get(name, 1.0) * growth


def extra_bytes(extra: Extra, job: JobFile) -> int:
    """Bytes of what is made when the film is there; all loops of the job must be possible."""
    plan = job.plan
    film = plan.frames_total * plan.box_width * plan.box_height
    match extra:
        case Export(_, name):
            return round(film * bytes_per_pixel(name, job.spec, plan.channels))
        case LoopFile(_, _, loop):
            size = framing(shown_before(loop, job), loop["crop"], loop["scale"]).size
            pixels = _frames(loop, job) * size.width * size.height
            pixels *= MOST_TIMES**2 if loop.scale_with else 1
            name = format_of(loop, job.spec)
            return round(pixels * bytes_per_pixel(name, job.spec, plan.channels))
    return 0  # pictures are small; how large other videos are is known once they are opened


def _frames(loop: Loop, job: JobFile) -> int:
    name, plan = format_of(loop, job.spec), job.plan
    if loop.is_walk:
        walk = loop.walk_settings()
        duration = walk.duration or _of_song(walk.song)
        return planned(duration, int(VIDEOS[name].shown_fps(walk.fps or plan.fps))).frames
    footage = Footage(plan.frames_total, Fraction(plan.fps))
    return plan_loop_in(name, loop.clip_settings(), footage).frames


def _of_song(song: SongSettings | None) -> Duration:
    """About how long a walk to it is."""
    assert song, "a walk has a length, or a song"
    end = _about_seconds(song.file)
    return Duration(seconds=Fraction(max(1.0, min(song.end or end, end) - song.start)))


@lru_cache(256)  # a farm asks several times a second
def _about_seconds(song: Path) -> float:
    from jobs.videos.sounds import about_seconds  # takes a while, and few sheets name songs

    try:
        return about_seconds(song) or MOST_SECONDS
    except UsageError:  # it was moved since the sheet was checked
        return MOST_SECONDS
