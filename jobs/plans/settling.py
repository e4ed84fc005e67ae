"""New lengths for films that have begun: which boundaries stay, and how short they can become.

Pure. What is made already keeps its batches and timecuts, for files are named after them and
published videos never change.
"""

from __future__ import annotations

from jobs.plans.plan import FramePlan, FrameRange, Resplit, Stretch


def settled_by(plan: FramePlan, made: int, frames_total: int) -> tuple[Stretch, ...]:
    """What stays of `plan`, of which `made` frames exist, in a plan of `frames_total` frames.

    All timecuts that have begun keep their ends, so a film that was one cut gets a second one. Only
    a film that now ends within the last of them cuts that one short: there, `frames_total` must be
    at least `shortest(plan, made)`.
    """
    if not made:
        return ()
    begun = plan.cut_containing(made - 1)
    if begun.stop <= frames_total:
        return _until(plan, begun)
    kept = plan.batch_containing(made - 1)
    assert kept.stop <= frames_total, "shorter than what is made"
    resplits = (*_resplits(plan, begun), Resplit(kept.stop, begun.stop))
    before = _until(plan, plan.cut_containing(begun.start - 1)) if begun.start else ()
    return (*before, Stretch(frames_total, frames_total - begun.start, resplits))


def shortest(plan: FramePlan, made: int) -> int:
    """The fewest frames that a film can have of which `made` frames exist: whole batches."""
    return plan.batch_containing(made - 1).stop if made else 1


def _until(plan: FramePlan, last: FrameRange) -> tuple[Stretch, ...]:
    """The stretches of `plan` that end with the cut `last`."""
    whole = tuple(stretch for stretch in plan.settled if stretch.stop <= last.stop)
    if whole and whole[-1].stop == last.stop:
        return whole
    further = next((each for each in plan.settled if each.stop > last.stop), None)
    length = further.cut_frames if further else plan.cut_frames
    return (*whole, Stretch(last.stop, length))


def _resplits(plan: FramePlan, cut: FrameRange) -> tuple[Resplit, ...]:
    return next((each.resplits for each in plan.settled if each.stop == cut.stop), ())
