"""Where the networks of a job start from: another job, a checkpoint, or between two of them."""

from __future__ import annotations

import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.families.table import family_of
from jobs.settings.spec import COLUMNS, JobSpec, facets
from jobs.settings.words import nearest, quoted, with_article
from jobs.sheets.fitting import misfit
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

CHECKPOINT, KERAS = ".h5", ".keras"  # end the path of a file; all else names a job
_ORIGINS = tuple(column for column in COLUMNS if facets(column).concerns == "origin")


def origins_of(spec: JobSpec) -> dict[str, str]:
    """A job or a path by the column that names it; columns that are empty are left out."""
    return {column: origin for column in _ORIGINS if (origin := getattr(spec, column))}


def part_of(column: str) -> str:
    """The one network that a job takes from the origin that this column names; empty: all."""
    return facets(column).network


def jobs_before(spec: JobSpec) -> tuple[str, ...]:
    """Names of the jobs that this one starts from."""
    return tuple(origin for origin in origins_of(spec).values() if not is_path(origin))


def is_path(origin: str) -> bool:
    """Whether `origin` is the path of a file, not the name of a job."""
    return origin.casefold().endswith((CHECKPOINT, KERAS))


def path_of(origin: str, workspace: Workspace) -> Path:
    """The path of such a file, named relative to the workspace or from the root of the disk."""
    return workspace.root / origin


def origin_mistakes(
    jobs: Sequence[JobFile], workspace: Workspace, unsure: Collection[int] = ()
) -> list[dict[str, str]]:
    """For each job of a sheet, in its order, one reason for each column with a mistake.

    Opens no file but `job.yaml`. Networks of jobs at `unsure` places are not compared with others:
    these jobs have mistakes of their own.
    """
    sheet = _Sheet(jobs, workspace, unsure)
    return [sheet.mistakes_at(place) for place in range(len(jobs))]


class _Sheet:
    """The jobs that a job may start from: those above it, and those that were trained before."""

    def __init__(
        self, jobs: Sequence[JobFile], workspace: Workspace, unsure: Collection[int]
    ) -> None:
        self._jobs, self._workspace, self._unsure = jobs, workspace, unsure
        self._specs = [job.spec for job in jobs]
        self._places: dict[str, int] = {}
        for place, spec in enumerate(self._specs):
            self._places.setdefault(spec.name, place)

    def mistakes_at(self, place: int) -> dict[str, str]:
        spec = self._specs[place]
        reasons = _wrong_together(spec) | _in_vain(spec)
        for column, origin in origins_of(spec).items():
            reason = (
                self._unfit_path(column, origin, spec)
                if is_path(origin)
                else self._unfit_job(origin, place) or self._misfit(column, origin, place)
            )
            if reason:
                reasons.setdefault(column, reason)
        return reasons

    def _unfit_path(self, column: str, origin: str, spec: JobSpec) -> str | None:
        if origin.casefold().endswith(KERAS) and not part_of(column):
            return f"takes a checkpoint, which ends in {CHECKPOINT}"
        path = path_of(origin, self._workspace)
        try:
            is_file = stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError):  # ValueError: a name that holds a NUL
            is_file = False
        if not is_file:
            where = "" if path == Path(origin) else f" in {self._workspace.root}"
            return f"there is no file {quoted(origin)}{where}"
        if path.resolve().is_relative_to(self._workspace.job(spec.name).run.resolve()):
            return "is a checkpoint of this job, and a job cannot start from itself"
        return None

    def _unfit_job(self, origin: str, place: int) -> str | None:
        if origin == self._specs[place].name:
            return "a job cannot start from itself"
        there = self._places.get(origin)
        if there is None:
            return self._unfit_in_workspace(origin, place)
        if there > place:
            return f"{quoted(origin)} stands further down in this sheet; move it up"
        above = self._specs[there]
        if not above.use_checkpoints:
            return f"{quoted(origin)} keeps no checkpoint; set its use_checkpoints to True"
        return _without_networks(above)

    def _unfit_in_workspace(self, origin: str, place: int) -> str | None:
        if origin not in self._runs:
            above = {spec.name for spec in self._specs[:place]}
            others = (above | set(self._runs)) - {self._specs[place].name}
            is_file = not {"/", "\\"}.isdisjoint(origin)
            hint = f", and a path of a checkpoint ends in {CHECKPOINT}" if is_file else ""
            meant = nearest(origin, sorted(others))
            return f"there is no job {quoted(origin)} here{hint}{meant}"
        paths = self._workspace.job(origin)
        if not paths.checkpoint_names():
            return f"{quoted(origin)} has no checkpoint to start from; put it above in this sheet"
        job = self._trained(origin)
        return _without_networks(job.spec) if job else None

    def _misfit(self, column: str, origin: str, place: int) -> str | None:
        """Why all weights of that job cannot become this one's, where they must."""
        job, there = self._jobs[place], self._places.get(origin)
        if not {place, there}.isdisjoint(self._unsure):
            return None
        known = self._trained(origin) if there is None else self._jobs[there]
        if known is None:
            return None
        family, part = known.spec.family, part_of(column)
        if family != job.spec.family and not part:
            own = with_article(job.spec.family)
            return f"{quoted(origin)} is {with_article(family)}, and this is {own}; start from one"
        if job.spec.init_fitting or column == _unused(job.spec):
            return None
        return misfit(known, job, part)

    def _trained(self, name: str) -> JobFile | None:
        """A job of this workspace; None where its file cannot be read: its checkpoint may do."""
        with suppress(MultitrainError):
            return JobFile.read(self._workspace.job(name))
        return None

    @cached_property
    def _runs(self) -> list[str]:
        """Names of the jobs of this workspace, and of some files beside their folders."""
        return [name for name in listing(self._workspace.runs) if not name.startswith(".")]


def _unused(spec: JobSpec) -> str | None:
    """The column of the job that an interpolation with weight 0 or 1 takes nothing from."""
    return {0.0: "interpolate_b", 1.0: "interpolate_a"}.get(spec.interpolate_alpha)


def _in_vain(spec: JobSpec) -> dict[str, str]:
    """Settings that nothing reads."""
    reasons = {}
    named = origins_of(spec)
    if spec.init_fitting and not named:
        reasons["init_fitting"] = "has no effect without init_from or interpolate_a and _b"
    if spec.freeze_encoder and not named:
        reasons["freeze_encoder"] = (
            "keeps an encoder that has learnt nothing; name one under encoder_weights"
        )
    has_alpha = spec.interpolate_alpha != COLUMNS["interpolate_alpha"].default
    if has_alpha and named.keys().isdisjoint({"interpolate_a", "interpolate_b"}):
        reasons["interpolate_alpha"] = "has no effect without interpolate_a and interpolate_b"
    return reasons


def _wrong_together(spec: JobSpec) -> dict[str, str]:
    columns = list(origins_of(spec))
    if not columns:
        return {}
    if not family_of(spec).trains:
        return {columns[0]: f"{with_article(spec.family)} has no networks; leave it empty"}
    if len(columns) > 1 and (parts := [each for each in columns if part_of(each)]):
        part, other = parts[0], next(each for each in columns if each not in parts)
        return {part: f"cannot be had with {other}, which has an {part_of(part)}; leave one empty"}
    if columns == ["interpolate_a"]:
        return {"interpolate_b": "is needed with interpolate_a: a job starts between two"}
    if columns == ["interpolate_b"]:
        return {"interpolate_a": "is needed with interpolate_b: a job starts between two"}
    if "init_from" in columns and len(columns) > 1:
        return {"init_from": "cannot be had with interpolate_a and interpolate_b; leave one empty"}
    return {}


def _without_networks(spec: JobSpec) -> str | None:
    if family_of(spec).trains:
        return None
    return f"{quoted(spec.name)} is {with_article(spec.family)}, which has no networks"
