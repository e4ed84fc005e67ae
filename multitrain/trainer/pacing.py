"""How many steps to hand to the device, and where a training must pause. Pure."""

from __future__ import annotations

from jobs.plans.plan import FramePlan

BLOCK_SECONDS = 0.5  # a drain is answered after about two blocks
BLOCK_BYTES = 64 * 2**20  # of frames
GROWTH = 4  # at most, from one block to the next: the first ones also compile


def steps_to_pause(plan: FramePlan, step: int) -> int:
    """Steps from `step` to the next one that ends a timecut: a checkpoint is due there."""
    frame = plan.frame_after(step)
    if frame >= plan.frames_total:
        return 0
    return plan.step_of(plan.cut_containing(frame).stop - 1) - step


def ends_timecut(plan: FramePlan, step: int) -> bool:
    """Whether `step` is the first whose frames reach the end of some timecut."""
    return step > 0 and steps_to_pause(plan, step - 1) == 1


def steps_within(plan: FramePlan, step: int, frames: int) -> int:
    """How many steps from `step` on make no more than so many frames, all together."""
    beyond = plan.timing.frames_by(step) + frames  # the first frame that is too much
    return plan.step_of(beyond) - 1 - step


class Pace:
    """Adapts the number of steps in a block to the speed of the device."""

    def __init__(self, plan: FramePlan, *pause_every: int | None) -> None:
        """Blocks end at each multiple of these numbers of steps, too."""
        self._plan, self._pause_every = plan, [each for each in pause_every if each]
        self._most_frames = BLOCK_BYTES // plan.frame_bytes
        self._steps = 1

    def steps_from(self, step: int) -> int:
        """The steps of the block that starts at `step`; it never crosses a pause."""
        fitting = steps_within(self._plan, step, self._most_frames)
        steps = min(self._steps, steps_to_pause(self._plan, step), max(1, fitting))
        return min([steps, *(every - step % every for every in self._pause_every)])

    def observe(self, steps: int, seconds: float) -> None:
        """A block of `steps` took `seconds`."""
        fitting = int(steps * BLOCK_SECONDS / max(seconds, 1e-9))
        self._steps = max(1, min(fitting, self._steps * GROWTH))
