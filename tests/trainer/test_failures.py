from __future__ import annotations

import json

import pytest

from jobs.errors import (
    CheckpointUnfit,
    DatasetError,
    DeviceFailed,
    Diverged,
    MultitrainError,
    OriginUnfit,
    OutOfMemory,
    PicturesChanged,
)
from jobs.workspace.paths import JobPaths
from multitrain.trainer.diagnosis import diagnose


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OutOfMemory("too little"), "out_of_memory", "too little"),
        (MemoryError(), "out_of_memory", "lower batch_size"),
        (Diverged("NaN at step 3"), "diverged", "NaN at step 3"),
        (DatasetError("no pictures"), "dataset", "no pictures"),
        (PicturesChanged("2 then, 1 now"), "pictures_changed", "2 then, 1 now"),
        (CheckpointUnfit("format 4, not 5"), "checkpoint_unfit", "format 4, not 5"),
        (OriginUnfit("4x4 there, not 8x8"), "origin_unfit", "not 8x8"),
        (DeviceFailed("it sees no GPU"), "device", "it sees no GPU"),
        (RuntimeError("INTERNAL: CUDA error: CUDA_ERROR_LAUNCH_FAILED"), "device", "LAUNCH_FAILED"),
        (MultitrainError("use --fresh"), "error", "use --fresh"),
        (OSError(5, "Input/output error"), "error", "OSError: [Errno 5] Input/output error"),
        (OSError(28, "No space left"), "disk_full", "the disk is full, or a quota: [Errno 28]"),
        (OSError(122, "Disk quota exceeded"), "disk_full", "quota"),
        (RuntimeError("NCCL: /dev/shm: No space left on device"), "error", "/dev/shm"),
    ],
)
def test_kinds(error: Exception, kind: str, words: str) -> None:
    failure = diagnose(error)

    assert failure.kind == kind
    assert words in failure.reason


def test_no_room_for_tensorflow_is_no_lack_of_memory() -> None:
    tensorflow = pytest.importorskip("tensorflow")
    words = "runs/a.tfevents; No space left on device"

    failure = diagnose(tensorflow.errors.ResourceExhaustedError(None, None, words))

    assert failure.kind == "disk_full"


def test_the_reason_is_one_bounded_line(paths: JobPaths) -> None:
    failure = diagnose(RuntimeError("first\nsecond " + "x" * 5000))

    failure.save(paths.training_failure)

    told = json.loads(paths.training_failure.read_text())
    assert told["kind"] == "error"
    assert told["reason"].startswith("RuntimeError: first second x")
    assert len(told["reason"]) < 600
