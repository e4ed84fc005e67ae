"""What a job loses with its machine: where it can go on by what has left the machine. Pure.

A film is whole where training goes on from a checkpoint that lies within the timecuts that were
sent: what comes behind them is made again. Raw frames, segments and PNG frames never leave a
machine while a job trains. So without such a checkpoint all frames before the newest one are lost,
unless these are so few that the job begins anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jobs.plans.plan import FramePlan, FrameRange
from jobs.settings.spec import JobSpec
from jobs.workspace.paths import CheckpointName

BEGINNING = CheckpointName(0, 0)  # stands for none: the job begins anew
_FEW = 2  # timecuts, within which a job begins anew rather than lose a frame


@dataclass(frozen=True)
class GoingOn:
    """How a job goes on: from which checkpoint, with so many timecuts, from number 1 on."""

    checkpoint: CheckpointName
    timecuts: int
    start: int  # the first frame that is made again, or for the first time
    lost: FrameRange | None = None  # the frames that nobody has any more


def going_on(
    spec: JobSpec, plan: FramePlan, names: Sequence[CheckpointName], there: Collection[int]
) -> GoingOn:
    """How a job goes on by these checkpoints, of which there is one at least.

    `there` are the numbers of the timecuts that are safe, with all their boxes.
    """
    count = unbroken(there) if comes_back(spec) else 0
    until = plan.cuts[count - 1].stop if count else 0
    within = [name for name in names if name.frame <= until]
    if within:
        return GoingOn(max(within), count, until)
    newest = max(names)
    if spec.auto_render_period and comes_back(spec) and newest.frame <= plan.cuts[:_FEW][-1].stop:
        return GoingOn(BEGINNING, count, until)
    return GoingOn(newest, 0, newest.frame, FrameRange(0, newest.frame))


def comes_back(spec: JobSpec) -> bool:
    """Whether timecuts are all of a job's film: PNG frames are not sent while it trains."""
    return spec.render_video and not spec.keeps_images


def unbroken(there: Collection[int]) -> int:
    """How many timecuts are there from number 1 on, without a gap."""
    count = 0
    while count + 1 in there:
        count += 1
    return count


def backed_up(names: Sequence[CheckpointName], until: int) -> list[CheckpointName]:
    """Which checkpoints a backup holds, oldest first, where timecuts up to frame `until` are sent.

    The newest, and the newest one that lies within these timecuts.
    """
    within = [name for name in names if name.frame <= until]
    return sorted({*within[-1:], *names[-1:]})


def told_now(name: str, going: GoingOn, step: int) -> str:
    """A line for the log: what is lost if the machine goes away now, at about this `step`."""
    again = step - going.checkpoint.step
    trained = f"the training from step {going.checkpoint.step} on, {again} steps so far"
    if going.lost is None:
        return f"{name}: a loss costs at most {trained}; no frame of the film"
    return f"{name}: a loss costs at most {_frames(going.lost)} of the film, and {trained}"


def told_beforehand(spec: JobSpec) -> str | None:
    """What the loss of its machine costs a job that sends backups; None for one that sends none."""
    if spec.backup_period is None:
        return None
    trained = f"the training of {spec.backup_period:g} minutes"
    if not spec.render_video or spec.keeps_images:
        return (
            f"a loss of this machine costs at most {trained}, and all frames made until then, for "
            "pictures are not sent while a job trains"
        )
    if spec.auto_render_period is None:
        return (
            f"a loss of this machine costs at most {trained}, and all frames made until then, for "
            "there are no timecuts to send; with auto_render_period no frame is lost"
        )
    return (
        f"a loss of this machine costs at most {trained} and of two timecuts of "
        f"{spec.auto_render_period:g} s each, which is done again, and no frame of the film"
    )


def _frames(frames: FrameRange) -> str:
    return "no frame" if not len(frames) else f"frames {frames.start} to {frames.stop - 1}"
