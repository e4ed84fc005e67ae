"""What of a job lies on disk: listings, and nothing but listings."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from jobs.paths import PART, JobPaths, OutputName, listing
from jobs.plan import FramePlan, FrameRange
from render.commands import LIST
from render.timecuts import Inventory, all_batches


class _Names(NamedTuple):
    """The file names that one batch can have."""

    batch: FrameRange
    raw: str
    segments: frozenset[str]
    marker: str


def take_inventory(paths: JobPaths, plan: FramePlan) -> Inventory:
    """What lies on disk now."""
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
            if all(paths.timecut(number, box).name in renders for box in plan.box_numbers)
        ),
        checkpoint=checkpoints[-1].frame if checkpoints else 0,
    )


def sweep(paths: JobPaths) -> None:
    """Remove what encoders left half-made, in the segments and in `renders`."""
    half_made = [paths.segments / name for name in listing(paths.segments) if name.endswith(PART)]
    half_made += [paths.frames / name for name in listing(paths.frames) if name.endswith(PART)]
    renders = paths.workspace.renders
    half_made += [renders / name for name in listing(renders) if _is_half_made(name, paths)]
    for path in half_made:
        remove(path)


def _is_half_made(name: str, paths: JobPaths) -> bool:
    whole = name.removesuffix(PART).removesuffix(LIST)
    output = OutputName.parse(whole)
    mine = whole == paths.manifest.name or (output is not None and output.job == paths.name)
    return mine and whole != name


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, whether it is there or not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@lru_cache(maxsize=64)  # spelling ten thousand names takes longer than listing them
def _names(paths: JobPaths, plan: FramePlan) -> tuple[_Names, ...]:
    return tuple(
        _Names(
            batch,
            paths.batch(batch).name,
            frozenset(paths.segment(batch, box).name for box in plan.box_numbers),
            paths.image_marker(batch).name,
        )
        for batch in all_batches(plan)
    )
