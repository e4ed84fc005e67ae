"""`latest.jpg`: the newest frame of a job, for people to look at while it trains."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image

from jobs.plans.plan import FramePlan, FrameRange
from jobs.settings.colours import RGBA
from jobs.workspace.files import PART, listing, part_of
from jobs.workspace.paths import JobPaths
from render.spool.spool import BATCH

QUALITY = 90  # of the JPEG, out of 100


@dataclass(frozen=True)
class NewestFrame:
    """The last whole frame of a batch file, complete or not."""

    name: str
    index: int  # in the file
    changed: int  # when the file was written to last, in ns


def newest_frame(paths: JobPaths, plan: FramePlan) -> NewestFrame | None:
    """The newest whole frame in the spool; None where it holds none."""
    for name in reversed(listing(paths.spool)):
        if FrameRange.parse(name.removesuffix(PART).removesuffix(BATCH)) is None:
            continue
        with suppress(FileNotFoundError):  # a batch may be renamed or dropped at any time
            facts = (paths.spool / name).stat()
            if whole := facts.st_size // plan.frame_bytes:
                return NewestFrame(name, whole - 1, facts.st_mtime_ns)
    return None


def write_latest(paths: JobPaths, plan: FramePlan, newest: NewestFrame) -> None:
    """Show this frame, RGBA over black; leaves the old picture where the frame has gone.

    OSError where the picture cannot be written.
    """
    try:
        with (paths.spool / newest.name).open("rb") as file:
            pixels = os.pread(file.fileno(), plan.frame_bytes, newest.index * plan.frame_bytes)
    except FileNotFoundError:
        return
    if len(pixels) != plan.frame_bytes:
        return
    part = part_of(paths.latest)
    image = _image(pixels, plan)
    try:
        image.save(part, "JPEG", quality=QUALITY)
        os.replace(part, paths.latest)  # not flushed: a preview need not outlive a power cut
    finally:
        part.unlink(missing_ok=True)


def _image(pixels: bytes, plan: FramePlan) -> Image.Image:
    size = plan.frame_width, plan.frame_height
    if plan.channels != RGBA:
        return Image.frombytes("RGB", size, pixels)
    black = Image.new("RGBA", size, (0, 0, 0, 255))
    return Image.alpha_composite(black, Image.frombytes("RGBA", size, pixels)).convert("RGB")
