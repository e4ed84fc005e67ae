"""The store made anew from what jobs left in their folders, where it is missing or damaged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

from jobs.errors import DamagedStore, MultitrainError
from jobs.reading import read_json
from jobs.tinkering.earlier_jobs import jobs_left
from jobs.workspace.failures import Failure
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, Store, create, has_files_beside, set_aside
from multitrain.farm.progress_reader import last_progress
from multitrain.farm.submission import submitted


def open_store(workspace: Workspace, tell: Callable[[str], None]) -> Store:
    """The store. One that is damaged is set aside first, under a name that is passed to `tell`.

    A new store holds the jobs that are found, all of them from the start, so that a kill never
    leaves one that lacks some. UsageError where a newer version wrote it.
    """
    path = workspace.store
    why = "is not there"
    if os.path.lexists(path):
        try:
            return Store(path)
        except DamagedStore as damage:
            why = f"is damaged ({damage.reason}) and now called {set_aside(path).name}"
    elif has_files_beside(path):  # SQLite would take them for the new store's
        set_aside(path)
    jobs = sorted(map(workspace.job, jobs_left(workspace)), key=_begun_at)
    rows = [row for row in map(_row, jobs) if row]
    create(path, rows)
    if rows or why != "is not there":  # else the workspace is new
        tell(f"{path} {why}; it was made anew of {len(rows)} jobs' folders")
    return Store(path)


def leave_whole(
    workspace: Workspace,
    rows: Sequence[JobRow],
    jobs: Sequence[JobFile],
    tell: Callable[[str], None],
) -> None:
    """Make the store anew at the end of a night, where it was damaged or removed meanwhile.

    `rows` are the states that the farm has in memory, and `jobs` its jobs.
    """
    try:
        with closing(open_store(workspace, tell)) as store, store.transaction():
            there = {row.name for row in store.jobs()}
            lost = [job for job in jobs if job.spec.name not in there]
            store.add((row.name, row.frames_total) for row in rows if row.name not in there)
            store.submit(submitted(job, for_every_farm=True) for job in lost)
            store.save(rows)
    except (MultitrainError, OSError, sqlite3.Error) as error:
        tell(f"the last states of jobs could not be written: {error}")


def _row(paths: JobPaths) -> JobRow | None:
    """Where the job stands, by its folder; None where it left nothing that can be understood."""
    if frames := _frames_of_film(paths):
        return JobRow(paths.name, State.DONE, frames, frames, 0, "", "")
    try:
        job = JobFile.read(paths)
    except MultitrainError:
        return None
    if job is None or job.spec.name != paths.name:
        return None
    failure = Failure.load(paths.render_failure) or Failure.load(paths.training_failure)
    state = State.FAILED if failure else State.QUEUED
    progress = last_progress(paths.progress)
    total = job.plan.frames_total
    done = min(progress.frame, total) if progress else 0
    return JobRow(paths.name, state, done, total, 0, "", failure.reason if failure else "")


def _frames_of_film(paths: JobPaths) -> int:
    """The film's frames, by its manifest; 0 without one, or where the file is not ours."""
    try:
        manifest = read_json(paths.manifest, dict)
    except (OSError, ValueError):
        return 0
    match manifest:
        case {"job": paths.name, "frames": int(frames)} if 0 < frames < 2**53:
            return frames
    return 0


def _begun_at(paths: JobPaths) -> float:
    """Unix seconds: when the job's file was written, else its manifest; 0 without either."""
    for file in (paths.job_file, paths.manifest):
        try:
            return file.stat().st_mtime
        except OSError:
            continue
    return 0.0
