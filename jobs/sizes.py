"""How much room videos will take, about: what is measured of some, reckoned generously."""

from __future__ import annotations

from fractions import Fraction

from jobs.cycles import Footage, plan_loop_in
from jobs.framing import framing
from jobs.jobfile import JobFile
from jobs.loop_rules import shown_before
from jobs.loops import Loop, planned
from jobs.outputs import Export, Extra, LoopFile, format_of
from jobs.spec import JobSpec
from jobs.videos import VIDEOS, FormatName

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
            size = framing(shown_before(loop, job), loop["crop"], loop["scale"]).size
            pixels = _frames(loop, job) * size.width * size.height
            name = format_of(loop, job.spec)
            return round(pixels * bytes_per_pixel(name, job.spec, plan.channels))
    return 0  # pictures are small


def _frames(loop: Loop, job: JobFile) -> int:
    name, plan = format_of(loop, job.spec), job.plan
    if loop.is_walk:
        walk = loop.walk_settings()
        return planned(walk.duration, int(VIDEOS[name].shown_fps(walk.fps or plan.fps))).frames
    footage = Footage(plan.frames_total, Fraction(plan.fps))
    return plan_loop_in(name, loop.clip_settings(), footage).frames
