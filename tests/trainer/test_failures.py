from __future__ import annotations

import json

import pytest

from jobs.errors import DatasetError, Diverged, MultitrainError, OutOfMemory
from jobs.paths import JobPaths
from multitrain.failures import diagnose


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OutOfMemory("too little"), "out_of_memory", "too little"),
        (MemoryError(), "out_of_memory", "lower batch_size"),
        (Diverged("NaN at step 3"), "diverged", "NaN at step 3"),
        (DatasetError("no pictures"), "dataset", "no pictures"),
        (MultitrainError("use --fresh"), "error", "use --fresh"),
        (OSError(28, "No space left"), "error", "OSError: [Errno 28] No space left"),
    ],
)
def test_kinds(error: Exception, kind: str, words: str) -> None:
    failure = diagnose(error)

    assert failure.kind == kind
    assert words in failure.reason


def test_the_reason_is_one_bounded_line(paths: JobPaths) -> None:
    failure = diagnose(RuntimeError("first\nsecond " + "x" * 5000))

    failure.save(paths.training_failure)

    told = json.loads(paths.training_failure.read_text())
    assert told["kind"] == "error"
    assert told["reason"].startswith("RuntimeError: first second x")
    assert len(told["reason"]) < 600
