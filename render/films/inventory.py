"""What of a job lies on disk: listings, and the notes of what was made of the film."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from jobs.plans.plan import FramePlan, FrameRange
from jobs.workspace.files import listing, present
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.films.due import Inventory, all_batches
from render.spool.notes import extras_over, film_is_made


class _Names(NamedTuple):
    """The file names that one batch can have."""

    batch: FrameRange
    raw: str
    segments: frozenset[str]
    marker: str


def take_inventory(paths: JobPaths, job: JobFile) -> Inventory:
    """What lies on disk now.

    The order of the listings matters, so that frames that move on meanwhile never seem missing: a
    checkpoint comes after the batches before it, and these stay until their segments are there.
    """
    plan = job.plan
    checkpoints = paths.checkpoint_names()
    spool, segments = set(listing(paths.spool)), set(listing(paths.segments))
    timecuts = [paths.timecut_names(number, plan) for number in range(1, len(plan.cuts) + 1)]
    outputs = present(paths.outputs, [name for boxes in timecuts for name in boxes])
    names = _names(paths, plan)
    return Inventory(
        batches=frozenset(name.batch for name in names if name.raw in spool),
        segments=frozenset(name.batch for name in names if name.segments <= segments),
        images=frozenset(name.batch for name in names if name.marker in segments),
        published=frozenset(
            number for number, boxes in enumerate(timecuts, 1) if outputs.issuperset(boxes)
        ),
        checkpoint=checkpoints[-1].frame if checkpoints else 0,
        film=film_is_made(paths, plan),
        extras=extras_over(paths, job),
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
