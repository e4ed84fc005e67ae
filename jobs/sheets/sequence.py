"""Jobs that start when others are done (`after`), and circles of jobs that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter

from jobs.errors import MultitrainError
from jobs.settings.words import nearest, quoted
from jobs.sheets.enlarging import enlarging_jobs
from jobs.sheets.origins import jobs_before
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.store import read_jobs


def sequence_mistakes(jobs: Sequence[JobFile], workspace: Workspace) -> list[dict[str, str]]:
    """For each job of a sheet, in its order, what is wrong with its `after`, if anything."""
    if not any(job.spec.after for job in jobs):
        return [{} for _ in jobs]
    names = {job.spec.name for job in jobs}
    known = names | set(listing(workspace.runs)) | _in_store(workspace)
    reasons: dict[str, str] = {}
    for job in jobs:
        for name in job.spec.after or ():
            if name == job.spec.name:
                reasons.setdefault(name, "a job cannot come after itself")
            elif name not in known:
                hint = nearest(name, sorted(names - {job.spec.name}))
                reasons.setdefault(job.spec.name, f"there is no job {quoted(name)} here{hint}")
    for circle in _circles(_waits(jobs)):
        told = ", which waits for ".join(circle)
        for job in jobs:
            if job.spec.name in circle and job.spec.after:
                reasons.setdefault(job.spec.name, f"these jobs wait for each other: {told}")
    return [
        {"after": reasons[job.spec.name]} if job.spec.after and job.spec.name in reasons else {}
        for job in jobs
    ]


def _in_store(workspace: Workspace) -> set[str]:
    """Names of jobs that may not have begun; none where the store cannot be read now."""
    with suppress(MultitrainError):
        return {row.name for row in read_jobs(workspace.store)}
    return set()


def _waits(jobs: Sequence[JobFile]) -> dict[str, set[str]]:
    """By job, those of the sheet that it waits for: by `after`, as its origin, for its loops."""
    names = {job.spec.name for job in jobs}
    return {
        job.spec.name: (
            {*(job.spec.after or ()), *jobs_before(job.spec), *enlarging_jobs(job.spec)} & names
        )
        - {job.spec.name}
        for job in jobs
    }


def _circles(waits: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Jobs each of which waits for the next one, the last one again the first; each circle once."""
    left = {name: set(others) for name, others in waits.items()}
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle = list(
                reversed(error.args[1])
            )  # it lists each job before those that wait for it
            yield circle
            for name in circle:
                left[name] = set()
        else:
            return
