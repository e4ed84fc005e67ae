"""Removes what was left half-made, and what a job that is done needs no more."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress

from jobs.errors import MultitrainError
from jobs.workspace.files import PART, listing, part_of, remove
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import OutputName, extras, is_drawn_by_trainer
from jobs.workspace.paths import JobPaths
from render.encoding.commands import LIST
from render.spool.spool import locked, rewind


def clear_up(paths: JobPaths, *, wait: bool = True) -> None:
    """Remove what only a job in flight needs; others may start from its newest checkpoint.

    BlockingIOError without `wait`, where somebody else holds the spool's lock.
    """
    with locked(paths, wait=wait):
        shutil.rmtree(paths.spool, ignore_errors=True)
        shutil.rmtree(paths.segments, ignore_errors=True)
        shutil.rmtree(paths.made_folder, ignore_errors=True)
        for old in paths.checkpoint_names()[:-1]:
            paths.checkpoint(old).unlink(missing_ok=True)
        for surpassed in paths.best_steps()[:-1]:
            paths.best_weights(surpassed).unlink(missing_ok=True)
        paths.beginning.unlink(missing_ok=True)


def drop_uncovered(paths: JobPaths, job: JobFile) -> None:
    """Drop what the next trainer would drop, for a job that has no trainer now.

    Needs no room itself, and waits for nobody: what cannot be dropped now is left for that trainer,
    which also reports what is wrong.
    """
    with suppress(MultitrainError, OSError):
        if not paths.job_file.exists():  # it has not begun, or its disk is away for a moment
            return
        names = paths.checkpoint_names() if job.spec.use_checkpoints else []
        rewind(paths, job.plan, names[-1].frame if names else 0, wait=False)
        sweep_checkpoints(paths)


def sweep_checkpoints(paths: JobPaths) -> None:
    """Remove what a trainer that was killed had begun to write."""
    for name in listing(paths.checkpoints):
        if name.endswith(PART):
            (paths.checkpoints / name).unlink(missing_ok=True)


def sweep(paths: JobPaths, job: JobFile) -> None:
    """Remove what a worker left half-made: segments, pictures, and outputs in `renders`.

    Not what others may be making there: the trainer a walk, a user an export.
    """
    half_made = [part_of(paths.latest), part_of(paths.render_failure)]
    half_made += [paths.run / name for name in listing(paths.run) if _is_of_preview(name, paths)]
    half_made += [paths.segments / name for name in listing(paths.segments) if name.endswith(PART)]
    half_made += [paths.frames / name for name in listing(paths.frames) if name.endswith(PART)]
    outputs = paths.outputs
    made = {paths.manifest.name, *_extras(paths, job)}
    left = [name for name in listing(outputs) if name.endswith((PART, LIST))]
    half_made += [outputs / name for name in left if _is_half_made(name, paths, made)]
    for path in half_made:
        remove(path)


def _is_of_preview(name: str, paths: JobPaths) -> bool:
    return name.startswith(paths.preview.stem) and name.endswith(PART)


def _extras(paths: JobPaths, job: JobFile) -> Iterator[str]:
    """File names of the extras that a worker makes."""
    for extra in extras(job.spec, job.plan):
        if not is_drawn_by_trainer(extra):
            yield from (path.name for path in paths.files_of(extra, job.spec))


def _is_half_made(name: str, paths: JobPaths, made: Collection[str]) -> bool:
    whole = name.removesuffix(PART).removesuffix(LIST)
    output = OutputName.parse(whole)
    joined = output and output.job == paths.name and (output.is_film or output.is_timecut)
    return bool(joined) or whole in made
