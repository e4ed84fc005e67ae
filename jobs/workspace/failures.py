"""Why a process gave up a job, as the file that it leaves in the job's folder."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.reading import read_json
from jobs.workspace.files import write_text


class Kind(enum.StrEnum):
    """What went wrong, as far as anybody acts on it."""

    OUT_OF_MEMORY = "out_of_memory"
    DIVERGED = "diverged"  # the trainer has gone back by itself, in vain
    DATASET = "dataset"
    FRAMES_LOST = "frames_lost"
    PICTURES_CHANGED = "pictures_changed"
    CHECKPOINT_UNFIT = "checkpoint_unfit"
    ORIGIN_UNFIT = "origin_unfit"
    DEVICE = "device"  # the GPU's fault: another GPU may do
    DISK_FULL = "disk_full"  # nobody's fault: goes on when there is room
    STALLED = "stalled"  # alive, but without a new step for too long
    RENDER = "render"
    ERROR = "error"


@dataclass(frozen=True)
class Failure:
    """`kind` is for decisions; `reason`, one line with advice where there is any, for people."""

    kind: Kind
    reason: str

    def save(self, path: Path) -> None:
        write_text(path, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> Failure | None:
        """What a process left; None where it left nothing that can be read now."""
        try:
            written = read_json(path, dict)
        except OSError:  # not there, or out of reach for a moment
            return None
        except ValueError:
            written = {}
        match written:
            case {"kind": str(kind), "reason": str(reason)} if kind in set(Kind):
                return cls(Kind(kind), " ".join(reason.split()))
        return cls(Kind.ERROR, f"{path.name} is damaged")
