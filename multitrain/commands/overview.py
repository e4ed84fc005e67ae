"""The state of every job and its files in `renders/`: for `status` and the end of `run`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jobs.errors import MultitrainError
from jobs.workspace.glance import Glance, glance
from jobs.workspace.measures import Told, told_of
from jobs.workspace.outputs import Export, LoopFile, OutputName, extras
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow
from render.films.earlier import outputs_by_job

if TYPE_CHECKING:
    from jobs.workspace.farm_state import FarmState, Left

# What only some jobs need is imported for them, so that `status` appears at once.


class Count(NamedTuple):
    """How many are there, and how many the sheet asks for."""

    done: int = 0
    total: int = 0

    def __str__(self) -> str:
        return f"{self.done}/{self.total}" if self.total else ""


NONE = Count()


@dataclass(frozen=True)
class Overview:
    """What `multitrain status` shows of one job."""

    row: JobRow
    loops: Count = NONE
    exports: Count = NONE
    steps: Count = NONE  # of a job with steps that make no frame
    films: tuple[Path, ...] = ()  # one for each box; of a job that is done
    film_seconds: float | None = None  # of each film
    left: Left | None = None  # until its film is done, as forecast by the farm that runs here
    waits_for: str = ""  # why it has no slot, as the farm says
    measured: Told = Told()  # noqa: RUF009 - it never changes

    def for_machines(self) -> dict[str, Any]:
        """The job for `--json`. Its fields keep their names: other programs read them."""
        return {
            **vars(self.row),
            "loops_done": self.loops.done,
            "loops_total": self.loops.total,
            "exports_done": self.exports.done,
            "exports_total": self.exports.total,
            "steps_done": self.steps.done if self.steps.total else None,
            "steps_total": self.steps.total or None,
            "films": [str(film) for film in self.films],
            "film_seconds": self.film_seconds,
            "seconds_left": self.left and self.left.seconds,
            "seconds_left_spread": self.left and self.left.spread,
            "waits_for": self.waits_for,
            "measured": self.measured.last and self.measured.last.for_machines,
            "best": self.measured.best and self.measured.best.for_machines,
        }


def overviews(
    workspace: Workspace, rows: Sequence[JobRow], farm: FarmState | None = None
) -> list[Overview]:
    """One for each of `rows`, in their order; `farm` is the one that runs here, if any.

    Thousands take a second, because most job files are only skimmed.
    """
    done = {row.name for row in rows if row.state is State.DONE}
    films = outputs_by_job(workspace.renders, done)
    return [_of(workspace.job(row.name), row, films.get(row.name, ()), farm) for row in rows]


def _of(paths: JobPaths, row: JobRow, outputs: Iterable[Path], farm: FarmState | None) -> Overview:
    seen = glance(paths)
    loops, exports = _counts(paths, seen)
    films = tuple(path for path in outputs if _is_film(path.name))
    seconds = row.frames_total / seen.fps if films and seen.fps else None
    steps = _steps(paths, row) if seen.has_silent_steps else NONE
    left = farm.jobs.get(row.name) if farm else None
    waits_for = farm.why_waits(row.name) if farm and row.state is State.QUEUED else ""
    measured = told_of(paths) if seen.is_measured else Told()
    return Overview(row, loops, exports, steps, films, seconds, left, waits_for, measured)


def _steps(paths: JobPaths, row: JobRow) -> Count:
    """Steps that are done, and how many there are; of a job that cannot be read, none."""
    from jobs.workspace.jobfile import JobFile
    from multitrain.farm.progress_reader import last_progress

    with suppress(MultitrainError):
        if job := JobFile.read(paths):
            total = job.plan.steps_total
            progress = last_progress(paths.progress)
            has_trained = row.frames_done >= row.frames_total
            done = total if has_trained else progress.step if progress else 0
            return Count(done, total)
    return NONE


def _is_film(file: str) -> bool:
    name = OutputName.parse(file)
    return name is not None and name.is_film


def _counts(paths: JobPaths, seen: Glance) -> tuple[Count, Count]:
    """Loops and exports, made and asked for; 0 for a job that has not begun or cannot be read."""
    if not seen.may_have_extras:
        return NONE, NONE
    from jobs.workspace.jobfile import JobFile
    from render.spool.notes import made_extras

    try:
        job = JobFile.read(paths)
    except MultitrainError:
        return NONE, NONE
    if job is None:
        return NONE, NONE
    made = made_extras(paths, job)
    missing = [each for each in extras(job.spec, job.plan) if each not in made]
    loops, exports = len(job.spec.loops or ()), len(job.spec.format) - 1
    if not job.spec.render_video:
        exports = 0
    loops_left = {each.number for each in missing if isinstance(each, LoopFile)}
    exports_left = {each.format for each in missing if isinstance(each, Export)}
    return Count(loops - len(loops_left), loops), Count(exports - len(exports_left), exports)
