"""What of a job lies on disk: listings, and the notes of what was made of the film."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from jobs.jobfile import JobFile
from jobs.outputs import extras
from jobs.paths import JobPaths, listing
from jobs.plan import FramePlan, FrameRange
from render.notes import film_is_made, is_over
from render.timecuts import Inventory, all_batches


class _Names(NamedTuple):
    """The file names that one batch can have."""

    batch: FrameRange
    raw: str
    segments: frozenset[str]
    marker: str


def take_inventory(paths: JobPaths, job: JobFile) -> Inventory:
    """What lies on disk now."""
    plan = job.plan
    spool, segments = set(listing(paths.spool)), set(listing(paths.segments))
    renders = set(listing(paths.workspace.renders))
    names = _names(paths, plan)
    checkpoints = paths.checkpoint_names()
    return Inventory(
        batches=frozenset(name.batch for name in names if name.raw in spool),
        segments=frozenset(name.batch for name in names if name.segments <= segments),
        images=frozenset(name.batch for name in names if name.marker in segments),
        published=frozenset(
            number
            for number in range(1, len(plan.cuts) + 1)
            if all(video.name in renders for video in paths.timecuts(number, plan))
        ),
        checkpoint=checkpoints[-1].frame if checkpoints else 0,
        film=film_is_made(paths, job),
        extras=frozenset(each for each in extras(job.spec, plan) if is_over(paths, job, each)),
    )


@lru_cache(maxsize=64)  # spelling ten thousand names takes longer than listing them
def _names(paths: JobPaths, plan: FramePlan) -> tuple[_Names, ...]:
    return tuple(
        _Names(
            batch,
            paths.batch(batch).name,
            frozenset(segment.name for segment in paths.segments_of(batch, plan)),
            paths.image_marker(batch).name,
        )
        for batch in all_batches(plan)
    )
