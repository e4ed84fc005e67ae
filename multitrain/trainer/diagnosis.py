"""Why a training ended badly, in words that a farm can act on and a person can read."""

from __future__ import annotations

from jobs.errors import (
    CheckpointUnfit,
    DatasetError,
    DeviceFailed,
    Diverged,
    FramesLost,
    MultitrainError,
    OriginUnfit,
    OutOfMemory,
    PicturesChanged,
)
from jobs.workspace.disk import means_full
from jobs.workspace.failures import Failure, Kind
from multitrain.diagnosis.broken_devices import is_broken_device
from multitrain.diagnosis.memory import ADVICE, is_lack_of_memory

LONGEST_REASON = 500  # characters: some libraries print whole graphs


def diagnose(error: BaseException) -> Failure:
    """What `error` means for the job."""
    # NCCL's messages are about /dev/shm, where waiting makes no room.
    if means_full(error) and "nccl" not in str(error).casefold():
        # First, because TensorFlow uses the same words for a lack of memory.
        return Failure(Kind.DISK_FULL, _one_line(f"the disk is full, or a quota: {error}"))
    match error:
        case OutOfMemory():
            return Failure(Kind.OUT_OF_MEMORY, str(error))
        case Diverged():
            return Failure(Kind.DIVERGED, str(error))
        case FramesLost():
            return Failure(Kind.FRAMES_LOST, str(error))
        case PicturesChanged():
            return Failure(Kind.PICTURES_CHANGED, str(error))
        case CheckpointUnfit():
            return Failure(Kind.CHECKPOINT_UNFIT, _one_line(str(error)))
        case OriginUnfit():
            return Failure(Kind.ORIGIN_UNFIT, _one_line(str(error)))
        case DeviceFailed():
            return Failure(Kind.DEVICE, _one_line(str(error)))
        case DatasetError():
            return Failure(Kind.DATASET, _one_line(str(error)))
        case MultitrainError():
            return Failure(Kind.ERROR, _one_line(str(error)))
    if is_lack_of_memory(error):
        return Failure(Kind.OUT_OF_MEMORY, f"memory ran out: {ADVICE}")
    if is_broken_device(error):
        return Failure(Kind.DEVICE, _one_line(f"the GPU does not work: {error}"))
    return Failure(Kind.ERROR, _one_line(f"{type(error).__name__}: {error}"))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"
