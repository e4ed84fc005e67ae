"""How much room videos will take, about: what is measured of some, reckoned generously."""

from __future__ import annotations

from fractions import Fraction

from jobs.cycles import Footage, plan_loop
from jobs.framing import framing
from jobs.jobfile import JobFile
from jobs.kinds import Resolution
from jobs.loops import Loop, planned
from jobs.outputs import Export, Extra, LoopFile, format_of
from jobs.spec import JobSpec
from jobs.videos import FormatName

# DCGAN films of the demo data set took 0.45 to 0.63 bits per pixel at crf 17. Twice that is
# reckoned, for networks that do not settle. Six crf more or less halve or double it.
VIDEO_BYTES_PER_PIXEL = 1.2 / 8
REFERENCE_CRF = 17
CRF_PER_DOUBLING = 6
PNG_BYTES_PER_VALUE = 2.0 / 3  # 1.9 to 2.0 per pixel of the same films
# Beside that of h264. Where every frame stands for itself, those of slow films take more.
VIDEO_BYTES: dict[FormatName, float] = {"h264-intra": 2.0, "webm": 1.25}
# Of noisy frames, with alpha where the format keeps it. They know no crf.
OWN_BYTES_PER_PIXEL: dict[FormatName, float] = {
    "hap": 0.5, "hap-alpha": 1.0, "hap-q": 1.0, "dxv": 0.55, "prores": 0.85, "prores-4444": 5.0,
    "ffv1": 3.4, "gif": 1.1,
}  # fmt: skip


def bytes_per_pixel(name: FormatName, spec: JobSpec, channels: int) -> float:
    """Of a video of this format, per pixel of a frame."""
    if name == "png":
        return PNG_BYTES_PER_VALUE * channels
    if name in OWN_BYTES_PER_PIXEL:
        return OWN_BYTES_PER_PIXEL[name]
    growth: float = 2 ** ((REFERENCE_CRF - spec.crf) / CRF_PER_DOUBLING)
    return VIDEO_BYTES_PER_PIXEL * VIDEO_BYTES.get(name, 1.0) * growth


def extra_bytes(extra: Extra, job: JobFile) -> int:
    """Of a file that is made when the film is there. Of a job whose loops can be made."""
    plan = job.plan
    film = plan.frames_total * plan.box_width * plan.box_height
    match extra:
        case Export(_, name):
            return round(film * bytes_per_pixel(name, job.spec, plan.channels))
        case LoopFile(_, _, loop):
            frames, size = _of_walk(loop, job) if loop.is_walk else _of_clip(loop, job)
            name = format_of(loop, job.spec)
            pixels = frames * size.width * size.height
            return round(pixels * bytes_per_pixel(name, job.spec, plan.channels))
    return 0  # pictures are small


def _of_walk(loop: Loop, job: JobFile) -> tuple[int, Resolution]:
    spec, walk = job.spec, loop.walk_settings()
    grid = walk.grid or Resolution(spec.grid_width, spec.grid_height)
    drawn = Resolution(grid.width * job.image_width, grid.height * job.image_height)
    frames = planned(walk.duration, walk.fps or spec.fps).frames
    return frames, framing(drawn, walk.crop, walk.scale).size


def _of_clip(loop: Loop, job: JobFile) -> tuple[int, Resolution]:
    plan, clip = job.plan, loop.clip_settings()
    frames = plan_loop(clip, Footage(plan.frames_total, Fraction(plan.fps))).frames
    box = Resolution(plan.box_width, plan.box_height)
    return frames, framing(box, clip.crop, clip.scale).size
