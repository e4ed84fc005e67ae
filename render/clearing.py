"""Clearing up: what was left half-made, and what a job that is done needs no more."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.jobfile import JobFile
from jobs.outputs import OutputName, extras, is_drawn_by_trainer
from jobs.paths import PART, JobPaths, listing, part_of
from render.commands import LIST
from render.spool import locked, rewind


def clear_up(paths: JobPaths, *, wait: bool = True) -> None:
    """Remove what only a job in flight needs; others may start from its newest checkpoint.

    BlockingIOError, where it is not to `wait` for the spool's lock and somebody else holds it.
    """
    with locked(paths, wait=wait):
        shutil.rmtree(paths.spool, ignore_errors=True)
        shutil.rmtree(paths.segments, ignore_errors=True)
        shutil.rmtree(paths.made_folder, ignore_errors=True)
        for old in paths.checkpoint_names()[:-1]:
            paths.checkpoint(old).unlink(missing_ok=True)
        paths.beginning.unlink(missing_ok=True)


def drop_uncovered(paths: JobPaths, job: JobFile) -> None:
    """Drop what the next trainer would drop, for a job that has none now.

    Needs no room itself, and waits for nobody: what cannot be dropped now is for that trainer, who
    also tells what is wrong.
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
    half_made += [paths.segments / name for name in listing(paths.segments) if name.endswith(PART)]
    half_made += [paths.frames / name for name in listing(paths.frames) if name.endswith(PART)]
    renders = paths.workspace.renders
    made = {paths.manifest.name, *_extras(paths, job)}
    half_made += [renders / name for name in listing(renders) if _is_half_made(name, paths, made)]
    for path in half_made:
        remove(path)


def _extras(paths: JobPaths, job: JobFile) -> Iterator[str]:
    """The names of those that a worker makes."""
    for extra in extras(job.spec, job.plan):
        if not is_drawn_by_trainer(extra):
            yield from (path.name for path in paths.files_of(extra, job.spec))


def _is_half_made(name: str, paths: JobPaths, made: Collection[str]) -> bool:
    whole = name.removesuffix(PART).removesuffix(LIST)
    output = OutputName.parse(whole)
    joined = output and output.job == paths.name and (output.is_film or output.is_timecut)
    return whole != name and (bool(joined) or whole in made)


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, whether it is there or not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
