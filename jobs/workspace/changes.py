"""A job that has begun and a row that says something else: how it goes on, or why it cannot.

Pure. When each setting may change stands with its declaration (`jobs.settings.columns.Facets`).
"""

from __future__ import annotations

from dataclasses import dataclass

from jobs.plans.settling import settled_by, shortest
from jobs.settings.kinds import Resolution
from jobs.settings.parsing import cell_text
from jobs.settings.spec import COLUMNS, JobSpec, facets
from jobs.settings.videos import FormatName
from jobs.workspace.jobfile import JobFile


@dataclass(frozen=True)
class Begun:
    """What is known of a job that has begun."""

    job: JobFile  # with the settings of its last run
    made: int  # frames that exist
    can_go_on: bool  # whether there is a checkpoint to make further frames from


@dataclass(frozen=True)
class Changed:
    """How a job goes on with the settings of its row."""

    job: JobFile
    refusal: str = ""  # why it cannot go on, in clauses; empty where it can
    is_longer: bool = False  # more frames are to be made than were planned
    film_stays: FormatName | None = None  # its first format, where the row names others


def change(begun: Begun, wanted: JobFile) -> Changed:
    """How a job that has begun goes on with `wanted`, the job as its row describes it now."""
    was, now = begun.job.spec, wanted.spec
    reasons = [
        f"{column} was {_text(was, column)}, is now {_text(now, column)}"
        for column in COLUMNS
        if facets(column).may_change == "never" and getattr(was, column) != getattr(now, column)
    ]
    before, after = (Resolution(job.image_width, job.image_height) for job in (begun.job, wanted))
    if before != after:
        reasons.append(f"pictures were {before}, are now {after}")
    is_longer = now.frames_total > was.frames_total
    if not reasons and (reason := _unfit_length(begun, now)):
        reasons.append(reason)
    if reasons:
        return Changed(begun.job, "; ".join(reasons))
    first = was.format[0]
    formats = (first, *(name for name in now.format if name != first))
    job = wanted.replaced(spec=now.model_copy(update={"format": formats}))
    stays = first if first != now.format[0] else None
    return Changed(_with_boundaries(begun, job), "", is_longer, stays)


def _unfit_length(begun: Begun, now: JobSpec) -> str:
    """Why the film cannot have the length that is asked for; empty where it can."""
    was, plan = begun.job.spec, begun.job.plan
    if now.frames_total == was.frames_total:
        return ""
    least = shortest(plan, begun.made)
    if now.frames_total < least:
        return (
            f"video_length was {_text(was, 'video_length')}, is now {_text(now, 'video_length')}, "
            f"and {least} frames are made already: it must be at least {_minutes(least, now.fps)}"
        )
    if now.frames_total > was.frames_total and begun.made and not begun.can_go_on:
        return (
            f"video_length was {_text(was, 'video_length')}, is now {_text(now, 'video_length')}, "
            "and there is no checkpoint from which the film could go on"
        )
    return ""


def _with_boundaries(begun: Begun, job: JobFile) -> JobFile:
    """`job` with the timecuts and batches of what is made already."""
    was, now = begun.job.spec, job.spec
    asked = [(spec.frames_total, spec.auto_render_period) for spec in (was, now)]
    if asked[0] == asked[1]:
        kept = begun.job
        return job.replaced(settled=kept.settled, first_frames_total=kept.first_frames_total)
    if not begun.made:
        return job
    return job.replaced(
        settled=settled_by(begun.job.plan, begun.made, now.frames_total),
        first_frames_total=begun.job.frames_planned_first,
    )


def minutes(job: JobFile) -> str:
    """The length of its film as a sheet would say it."""
    return _text(job.spec, "video_length")


def _minutes(frames: int, fps: int) -> str:
    """The number of minutes with the fewest digits that a sheet can say for so many frames."""
    for digits in range(1, 9):
        unit = 10**digits
        said = f"{-(-frames * unit // (fps * 60)) / unit:.{digits}f}"
        if round(float(said) * 60 * fps) == frames:
            break
    return said.rstrip("0").rstrip(".")


def _text(spec: JobSpec, column: str) -> str:
    return cell_text(column, getattr(spec, column)) or "empty"
