"""A job whose first frames are lost: the rest of its training makes a film of its own. Pure.

Its frames are numbered from 0 again, so its settings say how many steps come before the first one.
It has a name of its own, for its timecuts are others than those of the same numbers that were sent.
"""

from __future__ import annotations

from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName


def name_from(job: JobFile, frame: int) -> str:
    """What the job is called whose film begins at `frame`."""
    return f"{job.spec.name}_from_{frame}"


def later(job: JobFile, name: CheckpointName) -> tuple[JobFile, CheckpointName]:
    """The job of the frames from this checkpoint on, and what the checkpoint is called there.

    MultitrainError where none are left to make.
    """
    spec, first = job.spec, name.frame
    left = job.frames_total - first
    if left <= 0:
        raise MultitrainError(
            f"{spec.name} had made all of its frames, and none of them is left but in what was "
            "sent: there is nothing to go on with"
        )
    before = spec.first_frame_after + first // spec.frames_per_step * spec.steps_per_frame
    changes: dict[str, object] = {
        "name": name_from(job, first),
        "first_frame_after": before,
        "loops": tuple(loop for loop in spec.loops or () if loop.is_walk) or None,
    }
    if spec.video_length is not None:
        changes["video_length"] = left / spec.fps / 60
    rest = job.replaced(
        spec=spec.model_copy(update=changes),
        settled=(),
        first_frames_total=max(1, job.frames_planned_first - first),
    )
    return rest, CheckpointName(name.step, 0)
