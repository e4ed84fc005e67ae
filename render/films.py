"""Verified segments into published timecuts and the film; clearing up after it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from jobs.jobfile import JobFile
from jobs.paths import JobPaths, flush_to_disk, part_of
from jobs.plan import FrameRange
from render.clearing import clear_up, remove
from render.encoders import make_alike
from render.manifest import write_manifest
from render.merge import join
from render.notes import note_film
from render.sources import unchanged
from render.spool import locked
from render.timecuts import all_batches


def publish_timecut(
    paths: JobPaths, job: JobFile, number: int, segments: Sequence[FrameRange]
) -> None:
    """Join these segments to timecut `number` (all its boxes), counting from 1.

    Raises Rewound where the trainer took segments back meanwhile.
    """
    _publish(paths, job, segments, paths.timecuts(number, job.plan))


def join_film(paths: JobPaths, job: JobFile) -> None:
    """Join the film, with all its boxes."""
    _publish(paths, job, all_batches(job.plan), paths.films(job.plan))
    note_film(paths, job)


def finish_job(paths: JobPaths, job: JobFile) -> None:
    """Write the manifest, clear up."""
    write_manifest(paths, job)
    clear_up(paths)


def drop_batches(paths: JobPaths, job: JobFile, batches: Sequence[FrameRange]) -> None:
    """Remove raw batches that are rendered, if they still are: a rewind takes segments back."""
    if not batches:
        return
    with locked(paths):
        for batch in batches:
            if all(each.exists() for each in _rendered(paths, job, batch)):
                paths.batch(batch).unlink(missing_ok=True)


def _rendered(paths: JobPaths, job: JobFile, batch: FrameRange) -> Iterator[Path]:
    """The files that a batch must have become before it may go."""
    if job.spec.render_video:
        yield from paths.segments_of(batch, job.plan)
    if job.spec.keeps_images:
        yield paths.image_marker(batch)


def _publish(
    paths: JobPaths, job: JobFile, segments: Sequence[FrameRange], outputs: Sequence[Path]
) -> None:
    """Join the segments of each box to its output; all outputs appear, verified, or none."""
    by_range = [(each, paths.segments_of(each, job.plan)) for each in segments]
    make_alike(paths, job, by_range)
    by_box = list(zip(*(files for _, files in by_range), strict=True))
    frames = sum(map(len, segments))
    parts = [part_of(output) for output in outputs]
    paths.workspace.renders.mkdir(parents=True, exist_ok=True)
    try:
        with unchanged(paths, [file for files in by_box for file in files]) as sources:
            for files, part in zip(by_box, parts, strict=True):
                join(files, part, frames)
                flush_to_disk(part)
            with sources.held():
                for part, output in zip(parts, outputs, strict=True):
                    os.replace(part, output)
            flush_to_disk(paths.workspace.renders)
    finally:
        for part in parts:
            remove(part)
