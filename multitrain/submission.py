"""From the jobs of a sheet to the store and their folders: what is new, goes on, is done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from jobs.errors import UsageError
from jobs.jobfile import JobFile
from jobs.outputs import OutputName, loop_files
from jobs.parsing import cell_text
from jobs.paths import PART, JobPaths, Workspace, flush_to_disk, listing, part_of
from jobs.spec import COLUMNS, JobSpec
from jobs.states import State
from jobs.store import Store
from multitrain.observe import published
from render.clearing import clear_up, drop_uncovered, remove
from render.notes import forget_given_up, made_extras

# The frames do not depend on them.
FREE_TO_CHANGE = {
    "retries", "stall_minutes", "keep_checkpoints", "loops",
    "upload_to_ftp", "upload_to", "backup_period", "on_done", "on_failed",
}  # fmt: skip


def submit(
    workspace: Workspace, store: Store, jobs: Sequence[JobFile], *, fresh: bool
) -> list[str]:
    """Queue every job that is not done; returns what the user should know, a line each.

    A job goes on only with the settings it began with: UsageError, with nothing changed, where one
    cannot. With `fresh`, all begin anew.
    """
    names = [job.spec.name for job in jobs]
    cut_off = [name for name in names if workspace.job(name).removed.exists()]
    start_over(workspace, store, names if fresh else cut_off)
    refused = [reason for job in jobs if (reason := _changes(workspace.job(job.spec.name), job))]
    if refused:
        advice = "Give the job another name, or start over with --fresh."
        raise UsageError("\n".join([*refused, advice]))
    with store.transaction():
        notes = [_enter(store, workspace.job(job.spec.name), job) for job in jobs]
    return [note for note in notes if note]


def make_room(workspace: Workspace, jobs: Sequence[JobFile], *, fresh: bool) -> None:
    """On a full disk, before anything is written: drop what the jobs would make again anyway."""
    for paths in (workspace.job(job.spec.name) for job in jobs):
        if fresh:
            _set_aside(paths)
            for entry in paths.removed.iterdir():  # the folder itself says what is to be done
                remove(entry)
        elif begun := JobFile.read(paths):
            drop_uncovered(paths, begun)


def start_over(workspace: Workspace, store: Store, names: Sequence[str]) -> None:
    """Forget jobs and remove all that they made.

    What a job has begun is renamed first and deleted last: where a kill comes in between, the next
    `submit` finds the renamed folder and finishes the removal.
    """
    with store.transaction():
        for name in names:
            store.forget(name)
    outputs = published(workspace) if names else {}
    for paths in map(workspace.job, names):
        _set_aside(paths)
        for output in (*outputs.get(paths.name, []), *_half_made(paths), paths.manifest):
            remove(output)
        shutil.rmtree(paths.frames, ignore_errors=True)
        shutil.rmtree(paths.removed, ignore_errors=True)


def _half_made(paths: JobPaths) -> Iterator[Path]:
    """What processes that were killed have begun to write in `renders` for this job."""
    renders = paths.workspace.renders
    for name in listing(renders):
        output = OutputName.parse(name.removesuffix(PART))
        if name.endswith(PART) and output and output.job == paths.name:
            yield renders / name


def _set_aside(paths: JobPaths) -> None:
    if paths.run.exists():
        shutil.rmtree(paths.removed, ignore_errors=True)
        os.replace(paths.run, paths.removed)
    else:
        paths.removed.mkdir(parents=True, exist_ok=True)
    flush_to_disk(paths.workspace.runs)


def _changes(paths: JobPaths, job: JobFile) -> str | None:
    """What differs from the settings that this job began with, in one line; None if nothing."""
    begun = (_has_begun(paths) and JobFile.read(paths)) or _made_with(paths)
    if not begun:
        return None
    changes = [
        f"{column} was {_quoted(begun.spec, column)}, is now {_quoted(job.spec, column)}"
        for column in COLUMNS
        if column not in FREE_TO_CHANGE and getattr(begun.spec, column) != getattr(job.spec, column)
    ]
    if (begun.image_width, begun.image_height) != (job.image_width, job.image_height):
        changes.append(
            f"pictures were {begun.image_width}x{begun.image_height}, "
            f"are now {job.image_width}x{job.image_height}"
        )
    return (
        f"{job.spec.name} has begun with other settings: {'; '.join(changes)}." if changes else None
    )


def _has_begun(paths: JobPaths) -> bool:
    """Whether a trainer was ever started: a queued job may have its file, and nothing else."""
    file = paths.job_file
    return any(name not in (file.name, part_of(file).name) for name in listing(paths.run))


def _made_with(paths: JobPaths) -> JobFile | None:
    """What the manifest of a film tells, where the job's folder was removed since."""
    try:
        manifest = json.loads(paths.manifest.read_bytes())
        spec = JobSpec.model_validate(manifest["spec"])
        return JobFile(
            spec=spec,
            image_width=manifest["width"] // spec.grid_width,
            image_height=manifest["height"] // spec.grid_height,
        )
    except (OSError, ValueError, KeyError):
        return None


def _quoted(spec: JobSpec, column: str) -> str:
    return cell_text(getattr(spec, column)) or "empty"


def _enter(store: Store, paths: JobPaths, job: JobFile) -> str | None:
    """Bring the store up to what lies on disk; a line for the user where that is odd."""
    name, total = job.spec.name, job.spec.frames_total
    row = store.job(name)
    if row is None:
        store.add(name, total)
        if paths.manifest.exists():  # the store was lost, the film was not
            for state in (State.RUNNING, State.RENDERING, State.DONE):
                store.transition(name, state, attempts=0)
            store.record_frames(name, total)
            row = store.job(name)
        else:
            forget_given_up(paths)
    if row is None:
        return None
    if row.state is not State.DONE:
        if row.state is State.FAILED:  # to fail again is news
            with suppress(OSError):
                paths.notice(State.FAILED).unlink(missing_ok=True)
        if row.state is not State.QUEUED:
            store.transition(name, State.QUEUED, attempts=0)
        store.plan_frames(name, total)
        forget_given_up(paths)
    else:
        clear_up(paths)  # where all was killed just when the film was there
        if gone := _gone(paths, job):
            return f"{name} is done, but {gone} is not there any more; --fresh makes it again"
        return _late_loops(paths, job)
    return None


def _late_loops(paths: JobPaths, job: JobFile) -> str | None:
    """What a sheet asks for since the job is done."""
    made, spec = made_extras(paths, job), job.spec
    late = {file.loop: None for file in loop_files(spec, job.plan) if file not in made}
    if not late:
        return None
    kinds = sorted({"walk" if loop.is_walk else "loop" for loop in late})
    commands = " and ".join(f"`multitrain {kind} {spec.name}`" for kind in kinds)
    loops = ", ".join(map(str, late))
    return f"{spec.name} is done, without {loops}; {commands} can still make such loops"


def _gone(paths: JobPaths, job: JobFile) -> Path | None:
    """What is missing of a job that is done. Timecuts may be moved away by their user."""
    made = [paths.manifest]
    if job.spec.render_video:
        made += paths.films(job.plan)
    return next((path for path in made if not path.exists()), None)
