"""Why a training ended badly, in words that a farm can act on and a person can read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from jobs.errors import DatasetError, Diverged, MultitrainError, OutOfMemory
from jobs.paths import JobPaths, write_text
from multitrain.engine.memory import ADVICE, is_lack_of_memory

LONGEST_REASON = 500  # characters: some libraries print whole graphs


@dataclass(frozen=True)
class TrainingFailure:
    """`reason` is one line, with advice where there is any."""

    kind: Literal["out_of_memory", "diverged", "dataset", "error"]
    reason: str

    def save(self, paths: JobPaths) -> None:
        write_text(paths.training_failure, json.dumps(asdict(self), ensure_ascii=False) + "\n")


def diagnose(error: BaseException) -> TrainingFailure:
    """What `error` means for the job."""
    match error:
        case OutOfMemory():
            return TrainingFailure("out_of_memory", str(error))
        case Diverged():
            return TrainingFailure("diverged", str(error))
        case DatasetError():
            return TrainingFailure("dataset", _one_line(str(error)))
        case MultitrainError():
            return TrainingFailure("error", _one_line(str(error)))
    if is_lack_of_memory(error):
        return TrainingFailure("out_of_memory", f"memory ran out: {ADVICE}")
    return TrainingFailure("error", _one_line(f"{type(error).__name__}: {error}"))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"
