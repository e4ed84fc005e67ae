"""Joins verified segments into timecuts and the film, publishes them, and clears up."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from jobs.plans.plan import FrameRange
from jobs.workspace.files import flush_to_disk, modified, part_of, remove
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import Extra, is_drawn_by_trainer
from jobs.workspace.paths import JobPaths
from render.files.digests import Damaged, sha256_of
from render.files.merge import cut, join
from render.films.clearing import clear_up
from render.films.due import batches_by_cut
from render.films.encoders import make_alike
from render.films.images import ensure_images
from render.films.integrity import can_be_decoded
from render.films.manifest import write_manifest
from render.films.replacing import put_in_place, set_aside
from render.films.soundness import ensure_film, ensure_segments, ensure_timecut
from render.spool.notes import (
    has_changed,
    is_as_noted,
    made_extras,
    note_digest,
    note_film,
    note_given_up,
    note_of_extra,
    note_of_film,
    noted_size,
    was_written_to,
)
from render.spool.sources import unchanged
from render.spool.spool import locked

log = logging.getLogger(__name__)


def publish_timecut(
    paths: JobPaths, job: JobFile, number: int, segments: Sequence[FrameRange]
) -> None:
    """Join these segments to timecut `number`, from 1, with all its boxes.

    Raises Rewound where the trainer took segments back meanwhile, Damaged where some have changed.
    """
    sources = _sound_segments(paths, job, segments)
    _join(paths, sources, paths.timecuts(number, job.plan), sum(map(len, segments)))


def join_film(paths: JobPaths, job: JobFile, timecuts: Collection[int] = ()) -> None:
    """Join the film, with all its boxes; `timecuts` are the numbers of those without segments.

    There, the timecuts are joined themselves. Raises FramesLost where one of them has changed, else
    as `publish_timecut` does.
    """
    plan, sources = job.plan, []
    numbered = list(enumerate(batches_by_cut(plan), 1))
    segments = [each for number, batches in numbered if number not in timecuts for each in batches]
    sound = iter(_sound_segments(paths, job, segments))
    for number in timecuts:
        ensure_timecut(paths, job, number)
    for number, batches in numbered:
        if number in timecuts:
            sources.append(paths.timecuts(number, plan))
        else:
            sources += islice(sound, len(batches))
    _join(paths, sources, paths.films(plan), plan.frames_total)
    note_film(paths, job)


def cut_timecut(paths: JobPaths, job: JobFile, number: int) -> None:
    """Cut timecut `number` (all its boxes) from the film; FramesLost where that has changed."""
    ensure_film(paths, job)
    films = paths.films(job.plan)

    def make(box: int, part: Path) -> None:
        cut(films[box], part, job.plan.cuts[number - 1])

    _publish(paths, films, paths.timecuts(number, job.plan), make)


def finish_job(paths: JobPaths, job: JobFile) -> None:
    """Put the film in the place of an earlier one, write the manifest, clear up.

    Damaged where films, PNG frames or extras have changed; they are then noted as missing, so that
    they are made again.
    """
    # Users may have moved the PNG frames of a job that is taken up again.
    if job.spec.keeps_images and not paths.reopened.exists():
        ensure_images(paths, job)
    if job.spec.render_video:
        look_at_films(paths, job, paths.films(job.plan), thoroughly=True)
    _look_at_timecuts(paths, job)
    _look_at_extras(paths, job)
    put_in_place(paths)
    write_manifest(paths, job)
    paths.reopened.unlink(missing_ok=True)
    clear_up(paths)


class ChangedExtra(Damaged):
    """A file of an extra has changed since it was made."""

    def __init__(self, extra: Extra, file: Path) -> None:
        super().__init__(f"{file} has changed since it was made")
        self.extra = extra


def look_at_films(
    paths: JobPaths, job: JobFile, films: Sequence[Path], *, thoroughly: bool = False
) -> None:
    """Set aside films that have changed, have them and missing ones joined again; then Damaged.

    They go where earlier films are kept. With `thoroughly` all `films` are read, else only those
    that were written to since they were joined.
    """
    changed = [
        film
        for film in films
        if not film.exists()
        or ((thoroughly or was_written_to(paths, film)) and not is_as_noted(paths, film))
    ]
    if changed:
        with locked(paths):  # boxes are worked on side by side
            set_aside(paths, changed, [note_of_film(paths, job.plan)])
        raise Damaged(f"{changed[0]} has changed since it was joined, or is gone")


def _look_at_timecuts(paths: JobPaths, job: JobFile) -> None:
    """Look at the timecuts that were written to since they were published.

    Damaged ones go where earlier films are kept, and the next run cuts them from the film. Others
    were edited by somebody and stay.
    """
    for timecut in paths.all_timecuts(job.plan):
        if not has_changed(paths, timecut):
            continue
        # An edited video hardly ever has exactly as many bytes as before; a damaged one has.
        is_edited = timecut.stat().st_size != noted_size(paths, timecut)
        if is_edited and can_be_decoded(timecut):
            log.warning("%s is not the video that was published; it is left as it is", timecut)
        else:
            set_aside(paths, [timecut])
            log.warning("%s was damaged; the next run cuts it from the film", timecut)


def _look_at_extras(paths: JobPaths, job: JobFile) -> None:
    """Set aside extras that have changed and have them made again, if possible; then ChangedExtra.

    They go where earlier films are kept.
    """
    changed = [
        (extra, file)
        for extra in made_extras(paths, job)
        for file in paths.files_of(extra, job.spec)
        if file.is_file() and not is_as_noted(paths, file)
    ]
    if changed:
        notes = [note_of_extra(paths, job, extra) for extra, _ in changed]
        set_aside(paths, [file for _, file in changed], notes)
        for extra, _ in changed:
            if is_drawn_by_trainer(extra):  # the weights may be there, but nobody draws any more
                note_given_up(paths, job, extra)
        raise ChangedExtra(*changed[0])


def drop_batches(paths: JobPaths, job: JobFile, batches: Sequence[FrameRange]) -> None:
    """Remove raw batches that are still rendered; a rewind may have taken their segments back."""
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


def _sound_segments(
    paths: JobPaths, job: JobFile, batches: Sequence[FrameRange]
) -> list[list[Path]]:
    """The segments of each batch, one per box, verified and all of one encoder."""
    ensure_segments(paths, job, batches)
    by_range = [(each, paths.segments_of(each, job.plan)) for each in batches]
    make_alike(paths, job, by_range)
    return [files for _, files in by_range]


def _join(
    paths: JobPaths, sources: Sequence[Sequence[Path]], outputs: Sequence[Path], frames: int
) -> None:
    """Join the sources, which come as one file per box, one after another to its output."""
    by_box = list(zip(*sources, strict=True))

    def make(box: int, part: Path) -> None:
        join(by_box[box], part, frames)

    _publish(paths, [file for files in by_box for file in files], outputs, make)


def _publish(
    paths: JobPaths,
    files: Sequence[Path],
    outputs: Sequence[Path],
    make: Callable[[int, Path], None],
) -> None:
    """Have `make` write each box's output of these files; all outputs appear, or none.

    `make` verifies what it writes. It is called with a box, from 0 on, and a temporary path.
    """
    parts = [part_of(output) for output in outputs]
    paths.outputs.mkdir(parents=True, exist_ok=True)
    try:
        with unchanged(paths, files) as sources:
            for box, part in enumerate(parts):
                make(box, part)
                flush_to_disk(part)
                size, written_at = part.stat().st_size, modified(part)
                note_digest(paths, outputs[box], sha256_of(part), written_at, size)
            with sources.held():
                for part, output in zip(parts, outputs, strict=True):
                    os.replace(part, output)
            flush_to_disk(paths.outputs)
    finally:
        for part in parts:
            remove(part)
