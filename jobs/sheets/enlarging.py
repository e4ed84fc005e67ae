"""Loops that the network of another job enlarges (`scale_with`): which job that can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.errors import MultitrainError, UsageError
from jobs.families.table import FAMILIES, family_of
from jobs.plans.framing import framing
from jobs.settings.kinds import LARGEST_SIDE, Resolution
from jobs.settings.loops import Loop
from jobs.settings.spec import JobSpec
from jobs.settings.words import nearest, quoted, with_article
from jobs.sheets.loop_rules import shown_before
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace


def enlarging_jobs(spec: JobSpec) -> tuple[str, ...]:
    """Names of the jobs whose networks enlarge loops of this one, each once."""
    named = (loop.scale_with for loop in spec.loops or ())
    return tuple(dict.fromkeys(name for name in named if name))


def cannot_enlarge(spec: JobSpec) -> str | None:
    """Why the network of such a job enlarges nothing, in one clause; None where it does."""
    application = family_of(spec).application
    if application and application.restores:
        return None
    able = " or ".join(
        name for name, each in FAMILIES.items() if each.application and each.application.restores
    )
    return f"{spec.name} is {with_article(spec.family)}, which enlarges nothing; name a {able}"


def enlarging_mistakes(jobs: Sequence[JobFile], workspace: Workspace) -> list[dict[str, str]]:
    """For each job of a sheet, in its order, what is wrong with the `scale_with` of its loops.

    A job that enlarges stands above in the sheet, or has a checkpoint in the workspace. Opens no
    file but `job.yaml`.
    """
    reasons: list[dict[str, str]] = []
    above: dict[str, JobFile] = {}
    places = {job.spec.name: job for job in jobs}
    for job in jobs:
        reason = _first_mistake(job, above, places, workspace)
        reasons.append({"loops": reason} if reason else {})
        above.setdefault(job.spec.name, job)
    return reasons


def _first_mistake(
    job: JobFile,
    above: Mapping[str, JobFile],
    sheet: Mapping[str, JobFile],
    workspace: Workspace,
) -> str | None:
    for number, loop in enumerate(job.spec.loops or (), 1):
        if not loop.scale_with:
            continue
        try:
            other = _enlarging(loop.scale_with, job, above, sheet, workspace)
        except UsageError as error:
            return f"loop {number}, {loop.name}: scale_with: {error}"
        if other and (reason := cannot_enlarge(other.spec) or _too_large(loop, job, other)):
            return f"loop {number}, {loop.name}: scale_with: {reason}"
    return None


def _enlarging(
    name: str,
    job: JobFile,
    above: Mapping[str, JobFile],
    sheet: Mapping[str, JobFile],
    workspace: Workspace,
) -> JobFile | None:
    """The job of that name; None where its file cannot be read: its checkpoint may do.

    UsageError where it will have no weights by then.
    """
    if name == job.spec.name:
        raise UsageError("a job cannot wait for its own network; name another one")
    if found := above.get(name):
        if not found.spec.use_checkpoints:
            raise UsageError(f"{quoted(name)} keeps no checkpoint; set its use_checkpoints to True")
        return found
    if name in sheet:
        raise UsageError(f"{quoted(name)} stands further down in this sheet; move it up")
    known = [each for each in listing(workspace.runs) if not each.startswith(".")]
    if name not in known:
        meant = nearest(name, sorted({*above, *known} - {job.spec.name}))
        raise UsageError(f"there is no job {quoted(name)} here{meant}")
    paths = workspace.job(name)
    if not paths.checkpoint_names():
        raise UsageError(f"{quoted(name)} has no checkpoint; put it above in this sheet")
    try:
        return JobFile.read(paths)
    except MultitrainError:
        return None


def _too_large(loop: Loop, job: JobFile, other: JobFile) -> str | None:
    """Why video cannot be as large as this loop would become; None where it can."""
    try:
        size = framing(shown_before(loop, job), loop["crop"], loop["scale"]).size
    except UsageError:  # told of the loop itself
        return None
    application = family_of(other.spec).application
    assert application, "it enlarges"
    times = application.enlarges(other.spec)
    large = Resolution(size.width * times, size.height * times)
    if max(large) <= LARGEST_SIDE:
        return None
    return f"it would be {large} pixels, and video has at most {LARGEST_SIDE} a side"
