"""What of a job lies on disk: listings, and notes of what was made of the film.

A film, an export or a loop that lies in `renders` may be an older one: what this job has made of
its film, it notes in `runs/<job>/made/`, with the settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from jobs.jobfile import JobFile
from jobs.outputs import Extra, LoopFile, extras, loop_files
from jobs.paths import JobPaths, listing, write_text
from jobs.plan import FramePlan, FrameRange
from render.timecuts import Inventory, all_batches


class _Names(NamedTuple):
    """The file names that one batch can have."""

    batch: FrameRange
    raw: str
    segments: frozenset[str]
    marker: str


FILM = "film"  # the note of a film
GIVEN_UP = "given up: "  # begins the note of what is not made, after all


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
        film=_is_made(paths, paths.films(plan), FILM),
        extras=frozenset(each for each in extras(job.spec, plan) if is_settled(paths, job, each)),
    )


def is_made(paths: JobPaths, job: JobFile, extra: Extra) -> bool:
    """Whether this job has made it, with these settings, and it is there."""
    return _is_made(paths, paths.files_of(extra, job.spec), str(extra))


def note_made(paths: JobPaths, outputs: Sequence[Path], settings: str) -> None:
    """Have it known that these files in `renders`, which are there, are of this job."""
    write_text(paths.made(outputs[0]), settings)


def note_given_up(paths: JobPaths, outputs: Sequence[Path], settings: str) -> None:
    """Have it known that these files are not made: nobody waits for them any more."""
    write_text(paths.made(outputs[0]), GIVEN_UP + settings)


def is_settled(paths: JobPaths, job: JobFile, extra: Extra) -> bool:
    """Whether nothing is left to do for it: it is made, or given up."""
    outputs, settings = paths.files_of(extra, job.spec), str(extra)
    return _is_made(paths, outputs, settings) or _note(paths, outputs) == GIVEN_UP + settings


def missing_walks(paths: JobPaths, job: JobFile) -> list[LoopFile]:
    """The loops that the trained network is still to draw."""
    if paths.manifest.exists():  # notes are gone by then
        return []
    files = loop_files(job.spec, job.plan)
    return [each for each in files if each.loop.is_walk and not is_settled(paths, job, each)]


def outputs_of(paths: JobPaths, job: JobFile) -> list[Path]:
    """What is published and stays as it is: timecuts, the film, what was made of it."""
    plan, spec = job.plan, job.spec
    is_done = paths.manifest.exists()
    numbers = range(1, len(plan.cuts) + 1)
    published = [video for number in numbers for video in paths.timecuts(number, plan)]
    if is_done or _is_made(paths, paths.films(plan), FILM):  # else a film is an older one's
        published += paths.films(plan)
    for extra in extras(spec, plan):
        if is_done or is_made(paths, job, extra):
            published += paths.files_of(extra, spec)
    return [output for output in published if output.exists()]


def _is_made(paths: JobPaths, outputs: Sequence[Path], settings: str) -> bool:
    return _note(paths, outputs) == settings and all(output.exists() for output in outputs)


def _note(paths: JobPaths, outputs: Sequence[Path]) -> str | None:
    try:
        return paths.made(outputs[0]).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return None


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
