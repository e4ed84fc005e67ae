"""A job that has begun and a row that says something else: how it goes on, or why it cannot.

Pure. When each setting may change stands with its declaration (`jobs.settings.columns.Facets`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

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
    is_at_once: bool = False  # nothing differs but what only the farm reads
    film_stays: FormatName | None = None  # its first format, where the row names others


def change(begun: Begun, wanted: JobFile) -> Changed:
    """How a job that has begun goes on with `wanted`, the job as its row describes it now."""
    if begun.job.picture_count:  # more pictures are no more epochs: it cannot go on with them
        wanted = wanted.replaced(picture_count=begun.job.picture_count)
    was, now = begun.job.spec, wanted.spec
    reasons = [
        f"{column} was {_text(was, column)}, is now {_text(now, column)}"
        for column in COLUMNS
        if facets(column).may_change == "never" and getattr(was, column) != getattr(now, column)
    ]
    if was.held_out != now.held_out:
        reasons.append(
            f"validation was {_text(was, 'validation')}, is now {_text(now, 'validation')}, and "
            "other pictures are trained on"
        )
    before, after = (Resolution(job.image_width, job.image_height) for job in (begun.job, wanted))
    if before != after:
        reasons.append(f"pictures were {before}, are now {after}")
    is_longer = wanted.frames_total > begun.job.frames_total
    if not reasons and (reason := _unfit_length(begun, wanted)):
        reasons.append(reason)
    if reasons:
        return Changed(begun.job, "; ".join(reasons))
    first = was.format[0]
    formats = (first, *(name for name in now.format if name != first))
    job = wanted.replaced(spec=now.model_copy(update={"format": formats}))
    stays = first if first != now.format[0] else None
    at_once = all(
        facets(column).may_change == "at once"
        for column in COLUMNS
        if getattr(was, column) != getattr(job.spec, column)
    )
    return Changed(_with_boundaries(begun, job), "", is_longer, at_once, stays)


def _unfit_length(begun: Begun, wanted: JobFile) -> str:
    """Why the film cannot have the length that is asked for; empty where it can."""
    was, now = begun.job.frames_total, wanted.frames_total
    least = shortest(begun.job.plan, begun.made)
    if now == was or (now > was and (begun.can_go_on or not begun.made)) or least <= now < was:
        return ""
    before, after = length_said(begun.job), length_said(wanted)
    column, _, value = after.partition(" ")
    told = f"{before} is now {after}"
    if before.startswith(f"{column} "):
        told = f"{column} was {before.partition(' ')[2]}, is now {value}"
    if now > was:
        return f"{told}, and there is no checkpoint from which the film could go on"
    made = f"{least} frames are made already"
    return f"{told}, and {made}: it must be at least {_value_of(least, wanted)}"


def _with_boundaries(begun: Begun, job: JobFile) -> JobFile:
    """`job` with the timecuts and batches of what is made already."""
    kept = begun.job
    asked = [(each.frames_total, each.spec.auto_render_period) for each in (kept, job)]
    if asked[0] == asked[1]:
        return job.replaced(settled=kept.settled, first_frames_total=kept.first_frames_total)
    if not begun.made:
        return job
    return job.replaced(
        settled=settled_by(kept.plan, begun.made, job.frames_total),
        first_frames_total=kept.frames_planned_first,
    )


def length_said(job: JobFile) -> str:
    """The length of its film as its row says it: `video_length 0.5`, `steps 2000`."""
    column = job.spec.length_column
    assert column, "checked when it was made"
    return f"{column} {_text(job.spec, column)}"


def _value_of(frames: int, job: JobFile) -> str:
    """What the column that says the length of `job` would say for so many frames."""
    column, steps = job.spec.length_column, job.plan.step_of(frames - 1)
    if column == "steps":
        return str(steps)
    if column == "epochs":
        return _shortest(steps / job.steps_per_epoch)
    minutes = Fraction(frames, job.spec.fps * 60)
    return _shortest(minutes, lambda said: round(said * 60 * job.spec.fps) == frames)


def _shortest(least: Fraction, is_right: Callable[[float], bool] = lambda _: True) -> str:
    """The number with the fewest digits, of at least `least`, that a sheet can say for it."""
    for digits in range(1, 9):
        unit = 10**digits
        said = f"{-(-least * unit // 1) / unit:.{digits}f}"
        if is_right(float(said)):
            break
    return said.rstrip("0").rstrip(".")


def _text(spec: JobSpec, column: str) -> str:
    return cell_text(column, getattr(spec, column)) or "empty"
