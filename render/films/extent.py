"""How far a job has got, according to its files."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.plans.plan import FramePlan, FrameRange
from jobs.workspace.files import PART, listing
from jobs.workspace.paths import JobPaths
from render.spool.rewinding import published_until


def has_begun(paths: JobPaths) -> bool:
    """Whether a trainer was ever started: a queued job may have a `job.yaml` and other notes."""
    trained = (paths.log, paths.progress, paths.checkpoints, paths.kept, paths.spool)
    made = (paths.segments, paths.beginning, paths.made_folder)
    return not {path.name for path in (*trained, *made)}.isdisjoint(listing(paths.run))


def frames_made(paths: JobPaths, plan: FramePlan) -> int:
    """The number of frames up to the last one that exists anywhere; all where the film is done."""
    if paths.manifest.exists():
        return plan.frames_total
    checkpoints = [name.frame for name in paths.checkpoint_names()[-1:]]
    ends = (each.stop for each in ranges_on_disk(paths))
    return min(max((0, published_until(paths, plan), *checkpoints, *ends)), plan.frames_total)


def steps_made(paths: JobPaths, plan: FramePlan, frames: int) -> int:
    """How many steps are done of a job of which so many `frames` exist."""
    by_frames = plan.step_of(frames - 1) if frames else 0
    if frames >= plan.frames_total or not plan.timing.has_silent_steps:
        return min(by_frames, plan.steps_total)
    return max([by_frames, *(name.step for name in paths.checkpoint_names()[-1:])])


def ranges_on_disk(paths: JobPaths) -> Iterator[FrameRange]:
    """The frame ranges of batches and segments; an unfinished batch counts as whole."""
    for name in (*listing(paths.spool), *listing(paths.segments)):
        found = FrameRange.parse(name.removesuffix(PART).partition(".")[0].partition("_")[0])
        if found:
            yield found


def fits_plan(paths: JobPaths, plan: FramePlan) -> bool:
    """Whether all batches and segments on disk are batches of this plan."""
    planned = set(plan.batches())
    return all(each in planned for each in ranges_on_disk(paths))
