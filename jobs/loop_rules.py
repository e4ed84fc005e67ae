"""What is wrong with the loops that a job asks for, told before anything is made."""

from __future__ import annotations

from fractions import Fraction

from jobs.cycles import Footage, plan_loop
from jobs.errors import UsageError
from jobs.framing import framing
from jobs.jobfile import JobFile
from jobs.kinds import LARGEST_SIDE, Resolution
from jobs.loops import Loop
from jobs.origins import WITHOUT_NETWORKS
from jobs.videos import VIDEOS

MOST_LOOPS = 9_999  # their names have four digits


def impossible_loop(job: JobFile) -> str | None:
    """The reason to tell of the first loop that cannot be made; None where all can."""
    loops = job.spec.loops or ()
    if len(loops) > MOST_LOOPS:
        return f"has {len(loops)} loops; {MOST_LOOPS} are the most"
    for number, loop in enumerate(loops, 1):
        try:
            reason = _wrong_walk(loop, job) if loop.is_walk else _wrong_cut(loop, job)
        except UsageError as error:
            reason = str(error)
        if reason:
            return f"loop {number}, {loop.name}: {reason}"
    return None


def _wrong_walk(loop: Loop, job: JobFile) -> str | None:
    """UsageError, too, where it cannot be cut as asked."""
    spec, walk = job.spec, loop.walk_settings()
    if spec.family in WITHOUT_NETWORKS:
        return f"it is drawn by a trained network, and {spec.family} has none"
    if not spec.use_checkpoints:
        return "it is drawn from a checkpoint, and use_checkpoints is False"
    step, every, last = walk.checkpoint, spec.keep_checkpoints, job.plan.steps_total
    if not every and (step is not None or walk.through_time):
        return "it needs checkpoints that are kept; set keep_checkpoints, such as every 1000 steps"
    if step is not None and every and (step % every or step > last):
        kept = f"keep_checkpoints keeps each {every}th, and the last is {last}"
        return f"step {step} is not kept: {kept}"
    grid = walk.grid or Resolution(spec.grid_width, spec.grid_height)
    drawn = Resolution(grid.width * job.image_width, grid.height * job.image_height)
    return _too_large(framing(drawn, walk.crop, walk.scale).size)


def _wrong_cut(loop: Loop, job: JobFile) -> str | None:
    """UsageError, too, where the film is too short or too small."""
    spec, plan, clip = job.spec, job.plan, loop.clip_settings()
    if not spec.render_video:
        return "it is cut from the film, and render_video is False"
    plan_loop(clip, Footage(plan.frames_total, Fraction(plan.fps)))
    film = VIDEOS[spec.format[0]].shown_size(plan.box_width, plan.box_height)
    return _too_large(framing(Resolution(*film), clip.crop, clip.scale).size)


def _too_large(size: Resolution) -> str | None:
    if max(size) <= LARGEST_SIDE:
        return None
    return f"{size} pixels are too many: video has at most {LARGEST_SIDE} a side"
