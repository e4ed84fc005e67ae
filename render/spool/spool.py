"""Raw frame batches on their way from the trainer to the encoder.

A batch is a file of frames, `(frame_height, frame_width, channels)` uint8, one after the other. Its
range stands in its name from the start; while it is being written the name ends in `.part`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import MultitrainError
from jobs.plans.plan import FramePlan, FrameRange
from jobs.workspace import locks
from jobs.workspace.files import PART, flush_to_disk, listing, part_of, publish
from jobs.workspace.paths import JobPaths
from render.files.digests import mark
from render.spool.rewinding import Remains, size_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BATCH = ".rgb"


def batches(paths: JobPaths) -> list[FrameRange]:
    """The complete batches on disk, oldest first."""
    return _ranges(paths.spool, BATCH)


def spooled_bytes(paths: JobPaths) -> int:
    """Bytes that batches take on disk, the unfinished one included."""
    return sum(size_of(paths.spool / name) for name in listing(paths.spool))


@contextmanager
def locked(paths: JobPaths, *, wait: bool = True) -> Iterator[None]:
    """Holds the job's spool lock: for renaming or dropping, never for longer.

    BlockingIOError without `wait`, where somebody else holds it.
    """
    paths.run.mkdir(parents=True, exist_ok=True)
    lock = locks.take(paths.spool_lock, wait=wait)
    if lock is None:
        raise BlockingIOError(f"{paths.spool_lock} is held by another process")
    try:
        yield
    finally:
        os.close(lock)


class SpoolWriter:
    """Appends frames to the spool, from `frame` on; batches appear complete or not at all."""

    def __init__(self, paths: JobPaths, plan: FramePlan, frame: int) -> None:
        """Goes on at `frame`, which `rewind` returned.

        Raises MultitrainError where the unfinished batch does not end there.
        """
        self._paths = paths
        self._plan = plan
        self._frame = frame
        self._file: int | None = None
        self._digest = hashlib.sha256()  # of the unfinished batch
        self._is_listed = False  # whether the folder on the disk knows the file for sure
        paths.spool.mkdir(parents=True, exist_ok=True)
        if frame < plan.frames_total and frame > self._batch.start:
            expected = (frame - self._batch.start) * plan.frame_bytes
            if size_of(self._part) != expected:
                raise MultitrainError(f"{self._part} does not end at frame {frame}; rewind first")
            with self._part.open("rb") as begun:
                self._digest = hashlib.file_digest(begun, "sha256")

    @property
    def frame(self) -> int:
        """The number of the next frame; frames below it were handed over whole."""
        return self._frame

    def write(self, frames: npt.NDArray[np.uint8]) -> None:
        """Append `(n, frame_height, frame_width, channels)` uint8 frames, C-contiguous.

        Frames beyond the film's end are dropped. OSError where the disk takes no more: `frame`
        then stands behind the last whole write to a batch, and `rewind` mends the rest.
        """
        plan = self._plan
        expected = (plan.frame_height, plan.frame_width, plan.channels)
        if frames.shape[1:] != expected or frames.dtype.str != "|u1":
            raise ValueError(
                f"frames are {frames.shape} {frames.dtype}, not (n, *{expected}) uint8"
            )
        wanted = min(len(frames), plan.frames_total - self._frame)
        done = 0
        while done < wanted:
            count = min(wanted - done, self._batch.stop - self._frame)
            data = frames[done : done + count].data.cast("B")
            _write_whole(self._open(), data)
            self._digest.update(data)
            self._advance(count)
            done += count

    def flush(self) -> None:
        """Bring all frames below `frame` to the disk; due before a checkpoint that counts them."""
        if self._file is not None:
            os.fsync(self._file)
            if not self._is_listed:
                flush_to_disk(self._paths.spool)
                self._is_listed = True

    def close(self) -> None:
        """Flush and let go. The unfinished batch stays for the next writer."""
        self.flush()
        self._release()

    @property
    def _batch(self) -> FrameRange:
        return self._plan.batch_containing(self._frame)

    @property
    def _part(self) -> Path:
        return part_of(self._paths.batch(self._batch))

    def _open(self) -> int:
        if self._file is None:
            fresh = os.O_TRUNC if self._frame == self._batch.start else 0
            self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_APPEND | fresh, 0o666)
        return self._file

    def _advance(self, count: int) -> None:
        batch = self._batch
        if self._frame + count == batch.stop:
            self._release()
            part = part_of(self._paths.batch(batch))
            mark(part, self._digest.hexdigest())
            self._digest = hashlib.sha256()
            publish(part, self._paths.batch(batch))
        self._frame += count

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file, self._is_listed = None, False


def rewind(paths: JobPaths, plan: FramePlan, frame: int, *, wait: bool = True) -> int:
    """Drop what was made beyond `frame`, the frame of the checkpoint that training goes on from.

    Returns the frame where the next SpoolWriter goes on, which may be later (`Remains.go_on_at`):
    the trainer then drops frames below it that it makes again. Where every frame of the job exists,
    or its film is done, nothing is dropped and `frames_total` returned. Raises FramesLost where
    frames that are needed were lost; then nothing is dropped either. With `wait`, it waits for the
    spool's lock.
    """
    with locked(paths, wait=wait):
        remains = Remains(paths, plan)
        # While a trainer starts again that was killed after its last frame, the film may be
        # finished: first the manifest is written, then the segments are removed.
        if paths.manifest.exists() or remains.are_all():
            return plan.frames_total
        keep = remains.go_on_at(frame)
        _drop_beyond(paths.segments, keep)
        _cut_batches(paths, plan, keep)
        return keep


def _drop_beyond(segments: Path, keep: int) -> None:
    for name in listing(segments):
        batch = FrameRange.parse(name.partition(".")[0].partition("_")[0])
        if batch and batch.stop > keep and not name.endswith(PART):
            (segments / name).unlink(missing_ok=True)


def _cut_batches(paths: JobPaths, plan: FramePlan, keep: int) -> None:
    complete, unfinished = set(batches(paths)), set(_ranges(paths.spool, BATCH + PART))
    for batch in sorted(
        complete | unfinished, reverse=True
    ):  # on a full disk, what makes room first
        path, part = paths.batch(batch), part_of(paths.batch(batch))
        if batch.start < keep < batch.stop:
            if batch in complete:  # renamed first: a complete name never has too few frames
                os.replace(path, part)
                flush_to_disk(paths.spool)
            _cut(part, (keep - batch.start) * plan.frame_bytes)
            continue
        part.unlink(missing_ok=True)
        if batch.start >= keep:
            path.unlink(missing_ok=True)


def _cut(part: Path, size: int) -> None:
    if size_of(part) > size:
        os.truncate(part, size)


def _ranges(folder: Path, ending: str) -> list[FrameRange]:
    names = (name.removesuffix(ending) for name in listing(folder) if name.endswith(ending))
    return sorted(batch for name in names if (batch := FrameRange.parse(name)))


def _write_whole(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]
