"""Raw frame batches on their way from the trainer to the encoder.

A batch is a file of rgb24 frames, `(frame_height, frame_width, 3)` uint8, one after the other. Its
range stands in its name from the start; while it is being written the name ends in `.part`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import FramesLost, MultitrainError
from jobs.paths import PART, JobPaths, listing, part_of, publish
from jobs.plan import FramePlan, FrameRange

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BATCH = ".rgb"


def batches(paths: JobPaths) -> list[FrameRange]:
    """The complete batches on disk, oldest first."""
    return _ranges(paths.spool, BATCH)


def spooled_bytes(paths: JobPaths) -> int:
    """Bytes that batches take on disk, the unfinished one included."""
    return sum(_size(paths.spool / name) for name in listing(paths.spool))


@contextmanager
def locked(paths: JobPaths) -> Iterator[None]:
    """Holds the job's spool lock, waiting for it: for renaming or dropping, never for longer."""
    paths.run.mkdir(parents=True, exist_ok=True)
    with paths.spool_lock.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class SpoolWriter:
    """Appends frames to the spool, from `frame` on; batches appear complete or not at all."""

    def __init__(self, paths: JobPaths, plan: FramePlan, frame: int) -> None:
        """Goes on at `frame`, where `rewind` has left off.

        Raises MultitrainError where the unfinished batch does not end there.
        """
        self._paths = paths
        self._plan = plan
        self._frame = frame
        self._file: int | None = None
        paths.spool.mkdir(parents=True, exist_ok=True)
        if frame < plan.frames_total and frame > self._batch.start:
            expected = (frame - self._batch.start) * plan.frame_bytes
            if _size(self._part) != expected:
                raise MultitrainError(f"{self._part} does not end at frame {frame}; rewind first")

    @property
    def frame(self) -> int:
        """The number of the next frame; frames below it were handed over whole."""
        return self._frame

    def write(self, frames: npt.NDArray[np.uint8]) -> None:
        """Append `(n, frame_height, frame_width, 3)` uint8 frames, C-contiguous.

        Frames beyond the film's end are dropped. OSError where the disk takes no more: `frame`
        then stands behind the last whole write to a batch, and `rewind` mends the rest.
        """
        expected = (self._plan.frame_height, self._plan.frame_width, 3)
        if frames.shape[1:] != expected or frames.dtype.str != "|u1":
            raise ValueError(
                f"frames are {frames.shape} {frames.dtype}, not (n, *{expected}) uint8"
            )
        wanted = min(len(frames), self._plan.frames_total - self._frame)
        done = 0
        while done < wanted:
            count = min(wanted - done, self._batch.stop - self._frame)
            _write_whole(self._open(), frames[done : done + count].data.cast("B"))
            self._advance(count)
            done += count

    def flush(self) -> None:
        """Bring all frames below `frame` to the disk; due before a checkpoint that counts them."""
        if self._file is not None:
            os.fsync(self._file)

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
            publish(part_of(self._paths.batch(batch)), self._paths.batch(batch))
        self._frame += count

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def rewind(paths: JobPaths, plan: FramePlan, frame: int) -> int:
    """Drop what was made beyond `frame`, the frame of the checkpoint that training goes on from.

    Returns where the next SpoolWriter goes on, which lies further on where timecuts are published
    already: the trainer drops the frames below it that it makes again. Where every frame of the
    job exists, or its film is done, nothing is dropped and `frames_total` returned. Raises FramesLost
    where frames that are needed were lost.
    """
    with locked(paths):
        # A trainer that was killed after its last frame may be late: the film is finished and its
        # segments are gone, in this order, while the next one starts.
        if paths.manifest.exists() or _missing(paths, plan, plan.frames_total) is None:
            return plan.frames_total
        keep = max(frame, published_until(paths, plan))
        _drop_beyond(paths.segments, keep)
        _cut_batches(paths, plan, keep)
        missing = _missing(paths, plan, keep)
        if missing is not None:
            raise FramesLost(
                f"{paths.run}: frames {missing.start} to {min(missing.stop, keep) - 1} were lost; "
                f"run {paths.name} again with --fresh"
            )
        return keep


def published_until(paths: JobPaths, plan: FramePlan) -> int:
    """The frame that ends the unbroken run of published timecuts from number 1."""
    until = 0
    for number, cut in enumerate(plan.cuts, 1):
        if not all(paths.timecut(number, box).exists() for box in plan.box_numbers):
            break
        until = cut.stop
    return until


def _drop_beyond(segments: Path, keep: int) -> None:
    for name in listing(segments):
        batch = FrameRange.parse(name.partition(".")[0].partition("_")[0])
        if batch and batch.stop > keep and not name.endswith(PART):
            (segments / name).unlink(missing_ok=True)


def _cut_batches(paths: JobPaths, plan: FramePlan, keep: int) -> None:
    complete, unfinished = set(batches(paths)), set(_ranges(paths.spool, BATCH + PART))
    for batch in sorted(complete | unfinished):
        path, part = paths.batch(batch), part_of(paths.batch(batch))
        if batch.start < keep < batch.stop:
            if batch in complete:  # renamed first: a complete name never has too few frames
                os.replace(path, part)
            _cut(part, (keep - batch.start) * plan.frame_bytes)
            continue
        part.unlink(missing_ok=True)
        if batch.start >= keep:
            path.unlink(missing_ok=True)


def _cut(part: Path, size: int) -> None:
    if _size(part) > size:
        os.truncate(part, size)


def _missing(paths: JobPaths, plan: FramePlan, until: int) -> FrameRange | None:
    """The first batch with frames below `until` that stands neither in the spool nor encoded."""
    spool, segments = set(listing(paths.spool)), set(listing(paths.segments))
    for batch in plan.batches():
        if batch.start >= until:
            break
        if paths.batch(batch).name in spool or _is_encoded(paths, plan, batch, segments):
            continue
        part = part_of(paths.batch(batch))
        if batch.stop > until and _size(part) == (until - batch.start) * plan.frame_bytes:
            continue
        return batch
    return None


def _is_encoded(paths: JobPaths, plan: FramePlan, batch: FrameRange, segments: set[str]) -> bool:
    encoded = all(paths.segment(batch, box).name in segments for box in plan.box_numbers)
    return encoded or paths.image_marker(batch).name in segments


def _ranges(folder: Path, ending: str) -> list[FrameRange]:
    names = (name.removesuffix(ending) for name in listing(folder) if name.endswith(ending))
    return sorted(batch for name in names if (batch := FrameRange.parse(name)))


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _write_whole(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]
