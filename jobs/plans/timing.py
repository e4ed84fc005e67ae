"""After which steps of a training frames are made. Pure.

Everybody who goes from steps to frames, or back, asks here: where a film begins, and how many steps
lie between two frames, is known to nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from jobs.settings.spec import JobSpec


@dataclass(frozen=True)
class Timing:
    """Some steps are trained before the film begins; from then on, all or some make frames.

    With `first_frame_after=3`, and frames in the column of the step that makes them:

        step                    1    2    3    4    5    6    7    8    9
        frames_per_step=2                      0,1  2,3  4,5  6,7  8,9  10,11
        steps_per_frame=2                           0         1         2
    """

    frames_per_step: int = 1  # of a step that makes any
    steps_per_frame: int = 1  # from one of these steps to the next
    first_frame_after: int = 0

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        return cls(spec.frames_per_step, spec.steps_per_frame, spec.first_frame_after)

    def frames_by(self, step: int) -> int:
        """How many frames exist after `step` steps, in a film that goes on for ever."""
        return max(0, step - self.first_frame_after) // self.steps_per_frame * self.frames_per_step

    def step_of(self, frame: int) -> int:
        """The step that makes `frame`; steps are counted from 1, frames from 0."""
        periods = frame // self.frames_per_step + 1
        return self.first_frame_after + periods * self.steps_per_frame

    def frames_until(self, steps: int) -> int:
        """Frames of a film that ends with the first frame that is made when `steps` are done."""
        periods = -(-max(0, steps - self.first_frame_after) // self.steps_per_frame)
        return periods * self.frames_per_step

    def makes_frames(self, step: int) -> bool:
        """Whether the next step makes frames once `step` steps are done."""
        return self.frames_by(step + 1) > self.frames_by(step)

    def silent_steps(self, step: int) -> int:
        """How many steps follow `step` steps before one makes frames."""
        return self.step_of(self.frames_by(step)) - 1 - step

    def first_frame(self, step: Any) -> Any:
        """The first frame that the next step makes once `step` steps are done; it must make some.

        `step` may also be a whole number in a framework's tensor.
        """
        since = step - self.first_frame_after if self.first_frame_after else step
        periods = since // self.steps_per_frame if self.steps_per_frame > 1 else since
        return periods * self.frames_per_step

    @property
    def has_silent_steps(self) -> bool:
        """Whether there are steps that make no frame."""
        return self.steps_per_frame > 1 or self.first_frame_after > 0

    @property
    def rate(self) -> Fraction:
        """Frames per step, on average, once the film has begun."""
        return Fraction(self.frames_per_step, self.steps_per_frame)


def frames_asked_for(spec: JobSpec, steps_per_epoch: Fraction) -> int:
    """The frames of a job's film by whichever column says how long it is; 0 where none does.

    `steps_per_epoch` are the steps in which as many pictures are drawn as there are.
    """
    if spec.video_length is not None:
        return round(spec.video_length * 60 * spec.fps)
    if spec.steps is not None:
        return Timing.of(spec).frames_until(spec.steps)
    if spec.epochs is None or not steps_per_epoch:
        return 0
    steps = -(-Fraction(str(spec.epochs)) * steps_per_epoch // 1)
    return Timing.of(spec).frames_until(int(steps))
