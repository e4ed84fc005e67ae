"""From the jobs of a sheet to the store and their folders: what is new, goes on, is done."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from jobs.errors import UsageError
from jobs.jobfile import JobFile
from jobs.paths import JobPaths, Workspace
from jobs.spec import COLUMNS, Resolution
from jobs.states import State
from jobs.store import Store
from multitrain.observe import published_videos

FREE_TO_CHANGE = {"retries", "upload_to_ftp"}  # the frames do not depend on them


def submit(workspace: Workspace, store: Store, jobs: Sequence[JobFile], *, fresh: bool) -> None:
    """Queue every job that is not done. UsageError, with nothing changed, where one cannot go on.

    A job goes on only with the settings it began with; with `fresh`, all begin anew.
    """
    if fresh:
        start_over(workspace, store, [job.spec.name for job in jobs])
    refused = [reason for job in jobs if (reason := _changes(workspace.job(job.spec.name), job))]
    if refused:
        advice = "Give the job another name, or start over with --fresh."
        raise UsageError("\n".join([*refused, advice]))
    with store.transaction():
        for job in jobs:
            _enter(store, workspace.job(job.spec.name), job)


def start_over(workspace: Workspace, store: Store, names: Sequence[str]) -> None:
    """Forget jobs and remove all that they made."""
    videos = published_videos(workspace)
    with store.transaction():
        for name in names:
            store.forget(name)
            paths = workspace.job(name)
            paths.manifest.unlink(missing_ok=True)
            for video in videos.get(name, []):
                video.unlink(missing_ok=True)
            shutil.rmtree(paths.frames, ignore_errors=True)
            shutil.rmtree(paths.run, ignore_errors=True)


def _changes(paths: JobPaths, job: JobFile) -> str | None:
    """What differs from the settings that this job began with, in one line; None if nothing."""
    begun = JobFile.load(paths)
    if begun is None:
        return None
    changes = [
        f"{column} was {_text(before)}, is now {_text(after)}"
        for column in COLUMNS
        if column not in FREE_TO_CHANGE
        and (before := getattr(begun.spec, column)) != (after := getattr(job.spec, column))
    ]
    if (begun.image_width, begun.image_height) != (job.image_width, job.image_height):
        changes.append(
            f"pictures were {begun.image_width}x{begun.image_height}, "
            f"are now {job.image_width}x{job.image_height}"
        )
    return (
        f"{job.spec.name} has begun with other settings: {'; '.join(changes)}." if changes else None
    )


def _text(value: object) -> str:
    """A setting as its cell would show it."""
    match value:
        case None:
            return "empty"
        case Resolution():
            return str(value)
        case tuple():
            return ",".join(map(str, value))
    return str(value)


def _enter(store: Store, paths: JobPaths, job: JobFile) -> None:
    name, total = job.spec.name, job.spec.frames_total
    row = store.job(name)
    if row is None:
        store.add(name, total)
        if paths.manifest.exists():  # the store was lost, the film was not
            store.transition(name, State.RUNNING, attempts=0)
            store.transition(name, State.RENDERING, attempts=0)
            store.transition(name, State.DONE, attempts=0)
            store.record_frames(name, total)
    elif row.state not in (State.DONE, State.RENDERING, State.QUEUED):
        store.transition(name, State.QUEUED, attempts=0)
