"""Checks PNG frames that were written some time ago: are all of a batch still there, and whole?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jobs.errors import FramesLost, MultitrainError
from jobs.plans.plan import FramePlan, FrameRange
from jobs.settings.words import start_over
from jobs.workspace.files import flush_to_disk
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.files.digests import Damaged
from render.files.verifying import verify_picture
from render.films.due import Wanted, all_batches, due
from render.films.inventory import take_inventory
from render.films.tasks import FindImages
from render.spool.sources import Rewound
from render.spool.spool import locked


def find_images(paths: JobPaths, job: JobFile, batch: FrameRange) -> None:
    """Write the lost marker of a batch again, whose raw frames are gone: its PNG frames are there.

    Raises FramesLost where they are not, Rewound where the frames are being made again.
    """
    broken = _what_is_broken(paths, job.plan, batch)
    paths.segments.mkdir(parents=True, exist_ok=True)
    with locked(paths):
        now = due(job.plan, Wanted.by(job.spec, job.plan), take_inventory(paths, job))
        if FindImages(batch) not in now.images:
            raise Rewound(str(batch))
        if broken:
            raise FramesLost(
                f"{paths.frames}: {broken}, and its raw frames are gone; put the PNG frames "
                f"{batch.start} to {batch.stop - 1} back and run {paths.name} again, or start over "
                f"with {start_over(paths.name)}"
            )
        paths.image_marker(batch).touch()
    flush_to_disk(paths.segments)


def ensure_images(paths: JobPaths, job: JobFile) -> None:
    """Check all PNG frames of a job. Where some are damaged, remove their markers, raise Damaged.

    PNG has checksums that reveal every changed byte.
    """
    first = ""
    for batch in all_batches(job.plan):
        if broken := _what_is_broken(paths, job.plan, batch):
            paths.image_marker(batch).unlink(missing_ok=True)
            first = first or broken
    if first:
        raise Damaged(f"{paths.frames}: {first}")


def _what_is_broken(paths: JobPaths, plan: FramePlan, batch: FrameRange) -> str | None:
    try:
        for image, size in images_of(paths, plan, batch):
            if not image.exists():
                return f"{image.name} is gone"
            verify_picture(image, size)
    except MultitrainError as error:
        return str(error)
    return None


def images_of(
    paths: JobPaths, plan: FramePlan, batch: FrameRange
) -> Iterator[tuple[Path, tuple[int, int]]]:
    """The PNG frames of a batch in all boxes, with their sizes: width and height in pixels."""
    for number, box in zip(plan.box_numbers, plan.boxes, strict=True):
        for frame in range(batch.start, batch.stop):
            yield paths.image(frame, number), (box.width, box.height)
