"""How much of a GPU's memory a job needs, by what earlier jobs like it had. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.workspace.jobfile import JobFile
from multitrain.forecasts.speeds import Cost, Speed
from multitrain.slots.slots import device_name

MARGIN = 1.1  # the driver is asked once a second, and what is needed for moments stays unseen
ALIKE = 1.25  # more pictures than that are another job, where networks are the same
NEWEST = 50  # of the speeds that are kept, those of so many tries count


def memory_of(job: JobFile, model: str, speeds: Sequence[Speed]) -> int | None:
    """Bytes of one GPU of that model that the job will need; None where no like of it was seen.

    `speeds` are the oldest first. The like of a job is of the same kind, makes as many operations
    and pixels a step, on as many GPUs, and has not more pictures: all of that lies in memory.
    """
    told = [speed for speed in speeds if speed.memory]
    if not told:  # so no step's operations need be counted, of thousands of jobs
        return None
    cost, device, size = Cost.of(job), device_name(model, job.spec.gpus), picture_bytes(job)
    seen = [
        speed.memory
        for speed in told
        if (speed.cost, speed.device) == (cost, device)
        and (not size or not speed.picture_bytes or size <= speed.picture_bytes * ALIKE)
    ]
    return int(max(seen[-NEWEST:]) * MARGIN) if seen else None


def picture_bytes(job: JobFile) -> int:
    """Of its data set, decoded; 0 where their number is not known."""
    width, height = job.loaded or (job.image_width, job.image_height)
    return job.picture_count * width * height * 3
