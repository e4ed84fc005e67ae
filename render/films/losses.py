"""Messages about frames that are lost for good, and about renderings that wait in vain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jobs.plans.plan import FramePlan, FrameRange
from jobs.settings.words import start_over
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.films.due import Wanted, due, neither_raw_nor_rendered
from render.films.inventory import take_inventory

NAMED = 3  # runs of frames at most


def tell_lost(paths: JobPaths, plan: FramePlan, lost: Sequence[FrameRange]) -> str:
    """A message: which frames of these batches, in their order, are lost, and what to do."""
    segment = paths.segments_of(lost[0], plan)[0]
    cut = plan.cut_number(lost[0].start)
    timecut = paths.timecuts(cut, plan)[0]
    return (
        f"frames {frames_of(lost)} are lost: {segment.name} is gone or damaged, there are no raw "
        f"frames to make it of, and no {timecut.name} that holds them; put back what was moved "
        f"away and run {paths.name} again, or start over with {start_over(paths.name)}"
    )


def standstill(paths: JobPaths, job: JobFile) -> str | None:
    """What a job whose trainer has ended waits for in vain.

    None where something is due for it, or its folder cannot be reached now. Looks at the disk as
    the render worker does: tasks that it has in hand are still due.
    """
    if paths.is_done or not paths.job_file.exists():
        return None
    wanted, found = Wanted.by(job.spec, job.plan), take_inventory(paths, job)
    now_due = due(job.plan, wanted, found)
    if now_due.lost or any(now_due.tasks()):
        return None
    if missing := neither_raw_nor_rendered(job.plan, wanted, found):
        return f"frames {frames_of(missing)} are neither raw nor encoded"
    walks = [str(extra) for extra in wanted.extras if extra not in found.extras]
    return f"nobody makes {', '.join(walks)}"


def frames_of(batches: Iterable[FrameRange]) -> str:
    """`120 to 179, 240 to 299 and more`, of batches in their order."""
    runs: list[FrameRange] = []
    for batch in batches:
        if runs and runs[-1].stop == batch.start:
            runs[-1] = FrameRange(runs[-1].start, batch.stop)
        else:
            runs.append(batch)
    named = ", ".join(f"{run.start} to {run.stop - 1}" for run in runs[:NAMED])
    return f"{named} and more" if runs[NAMED:] else named
