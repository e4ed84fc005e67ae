"""What jobs came to: how far they are, what they were measured at, their videos; their order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jobs.reading import parse_json
from jobs.settings.spec import JobSpec, means_something
from jobs.workspace.jobfile import JobFile
from jobs.workspace.measures import (
    LESS_IS_BETTER,
    Measures,
    Told,
    told_in_manifest,
    told_of,
)
from jobs.workspace.outputs import OutputName
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.store import read_jobs
from multitrain.farm.progress_reader import last_progress
from render.films.earlier import outputs_by_job, outputs_in

TIME = "time"  # seconds of training, by which jobs can be ordered as by a measure


class Videos(NamedTuple):
    """What can be watched of a job."""

    films: tuple[Path, ...] = ()  # one for each box; before it is there, the newest timecut
    applied: tuple[Path, ...] = ()  # what its network made of videos


@dataclass(frozen=True)
class Result:
    """What one job came to."""

    spec: JobSpec
    state: str  # as `multitrain status` has it; empty where the store does not know the job
    step: int
    steps_total: int
    seconds: float  # of training; 0: not known
    measured: Measures | None
    is_best: bool  # `measured` is of the weights that `keep_best` has kept; False: of the last ones
    videos: Videos

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def values(self) -> dict[str, float]:
        """All that jobs can be ordered by, as far as there are numbers."""
        found = {**(self.measured.values if self.measured else {})}
        if self.seconds:
            found[TIME] = self.seconds
        return {name: value for name, value in found.items() if not math.isnan(value)}

    @property
    def why_not_measured(self) -> str:
        """Why there is no measure."""
        if not means_something("validation", self.spec.family):
            return "none"
        if not self.spec.validation:
            return "no validation"
        return "not yet" if self.step < self.steps_total else "none"


def results(workspace: Workspace, jobs: Sequence[JobFile]) -> list[Result]:
    """One for each of `jobs`, in their order."""
    names = [job.spec.name for job in jobs]
    states = {row.name: str(row.state) for row in read_jobs(workspace.store)}
    published = outputs_by_job(workspace.renders, set(names))
    found = []
    for name, job in zip(names, jobs, strict=True):
        paths = workspace.job(name)
        is_next = paths.outputs != workspace.renders
        files = outputs_in(paths.outputs, name) if is_next else published.get(name, [])
        found.append(_result(paths, job, states.get(name, ""), files))
    return found


def measures_of(found: Iterable[Result]) -> list[str]:
    """What any of them was measured at."""
    names = (name for each in found if each.measured for name in each.measured.values)
    return list(dict.fromkeys(names))


def ordered(found: Sequence[Result], by: str) -> list[Result]:
    """The better ones first, of equal ones as they were; those without a number last."""
    sign = 1 if by in LESS_IS_BETTER or by == TIME else -1
    return sorted(found, key=lambda each: (by not in each.values, sign * each.values.get(by, 0)))


def training_seconds(progress: Path) -> float:
    """How long steps took, without what lay between tries; 0 where nothing tells it."""
    seconds, before = 0.0, 0
    try:
        with progress.open("rb") as lines:
            for line in lines:
                step, speed = _step_and_speed(line)
                seconds += (step - before) / speed if speed and step > before else 0.0
                before = max(step, before)
    except FileNotFoundError:
        pass
    return seconds


def _step_and_speed(line: bytes) -> tuple[int, float]:
    """The step that a line of progress tells of, and the steps per second up to it."""
    try:
        read = parse_json(line, dict)
    except ValueError:
        return 0, 0.0
    match read:
        case {"step": int(step), "steps_per_second": int() | float() as speed} if speed > 0:
            return step, float(speed)
        case {"step": int(step)}:
            return step, 0.0
    return 0, 0.0


def _result(paths: JobPaths, job: JobFile, state: str, files: Sequence[Path]) -> Result:
    total = job.plan.steps_total
    progress = last_progress(paths.progress)
    told = told_of(paths)
    if told == Told():
        told = told_in_manifest(paths.manifest)
    best = told.best if told.best and told.best.values else None
    is_over = paths.manifest.exists() and not paths.reopened.exists()
    return Result(
        spec=job.spec,
        state=state,
        step=total if is_over else progress.step if progress else 0,
        steps_total=total,
        seconds=training_seconds(paths.progress),
        measured=best or told.last,
        is_best=best is not None,
        videos=_videos(files),
    )


def _videos(files: Sequence[Path]) -> Videos:
    parsed = [(file, name) for file in files if (name := OutputName.parse(file.name))]
    films = [file for file, name in parsed if name.is_film]
    cuts = [file for file, name in parsed if name.is_timecut and name.box in (None, 1)]
    applied = [file for file, name in parsed if name.applied]
    return Videos(tuple(films or cuts[-1:]), tuple(applied))
