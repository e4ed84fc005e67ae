"""Frames that carry their own number, as black and white blocks that survive H.264, and jobs made
of them, spooled as a trainer would do it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np

from jobs.plans.plan import FramePlan
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths
from render.spool.spool import SpoolWriter

BITS = np.arange(16)
BOX_OFFSET = 1000  # box n of frame f shows the number f + n * BOX_OFFSET


def picture(number: int, width: int, height: int) -> np.ndarray:
    """`(height, width, 3)` uint8: sixteen bits of `number` as four rows of four blocks."""
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    bits = (number >> (rows[:, None] * 4 + columns[None, :])) & 1
    return np.repeat((bits * 255).astype(np.uint8)[..., None], 3, axis=2)


def frames(plan: FramePlan, numbers: Iterable[int]) -> np.ndarray:
    """`(n, frame_height, frame_width, 3)` uint8; every box shows its own number."""
    drawn = []
    for number in numbers:
        frame = np.empty((plan.frame_height, plan.frame_width, 3), np.uint8)
        for index, box in enumerate(plan.boxes):
            shown = number + index * BOX_OFFSET
            area = picture(shown, box.width, box.height)
            frame[box.y : box.y + box.height, box.x : box.x + box.width] = area
        drawn.append(frame)
    return np.stack(drawn)


def read(pixels: np.ndarray) -> int:
    """The number that a picture shows."""
    height, width = pixels.shape[:2]
    rows = (np.arange(4) * 2 + 1) * height // 8
    columns = (np.arange(4) * 2 + 1) * width // 8
    bits = pixels[rows][:, columns, 0] > 127
    return int((bits.ravel().astype(int) << BITS).sum())


def numbers_in(video: Path) -> list[int]:
    """The numbers that a video shows, decoded; fails where a frame is not at its time."""
    numbers = []
    with av.open(str(video)) as container:
        fps = container.streams.video[0].average_rate
        for index, frame in enumerate(container.decode(video=0)):
            assert frame.pts * frame.time_base * fps == index
            numbers.append(read(frame.to_ndarray(format="rgb24")))
    return numbers


def spool(paths: JobPaths, job: JobFile, start: int, stop: int) -> None:
    """Write the frames from `start` to `stop` as a trainer does that goes on at `start`."""
    writer = SpoolWriter(paths, job.plan, start)
    writer.write(frames(job.plan, range(start, stop)))
    writer.close()


def checkpoint(paths: JobPaths, frame: int) -> None:
    """A checkpoint that covers the frames before `frame`, in name."""
    paths.checkpoints.mkdir(parents=True, exist_ok=True)
    (paths.checkpoints / f"{CheckpointName(frame, frame)}.h5").touch()
