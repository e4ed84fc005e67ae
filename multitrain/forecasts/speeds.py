"""How fast jobs went here, and their memory: `runs/speeds.jsonl`, a line for each try of a job.

It only saves a measurement, and may be deleted. Lines that are damaged are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jobs.reading import parse_json
from jobs.settings.choices import Snapshot
from jobs.sheets import operations
from jobs.workspace.files import write_text
from jobs.workspace.jobfile import JobFile

MOST_BYTES = 2**20  # of the file: some four thousand tries; the older half goes then
# Bounds of a number in a line, and of a step's seconds: others were not written by us.
MOST = 1e18
LEAST_STEP = 1e-9
RARE = 12  # steps from a frame to the next; frames that are rarer cost next to nothing


@dataclass(frozen=True)
class Cost:
    """What the speed of a job depends on, besides the device."""

    kind: str  # of training: family, engine, precision, compilation
    operations: int  # floating-point operations of a step
    pixels: int  # of the frames of a step, on average

    @classmethod
    def of(cls, job: JobFile) -> Cost:
        if job.spec.steps_per_frame > RARE:
            rare = job.spec.model_copy(update={"snapshot": Snapshot.parse(RARE)})
            job = job.replaced(spec=rare)
        spec, plan = job.spec, job.plan
        return cls(
            kind=" ".join((spec.family, spec.engine, spec.precision, spec.jit)),
            operations=operations.of_step(job),
            pixels=int(plan.frame_width * plan.frame_height * plan.timing.rate),
        )


@dataclass(frozen=True)
class Speed:
    """What one try of a job took, in seconds, and in memory."""

    device: str  # "NVIDIA H200", "2 x NVIDIA H200", "AMD EPYC, 2 cores"
    cost: Cost
    steps: int  # that were timed
    step_seconds: float  # of one, on average, with all that went on beside it
    start_seconds: float  # from the trainer's start to its first step
    # From the last frame until the film is there, with all that is made of it, for each million
    # pixels of the film; None where the try did not come so far.
    finish_seconds: float | None = None
    memory: int = 0  # bytes of one GPU, the most that it had; 0: the driver does not tell
    picture_bytes: int = 0  # of its decoded pictures, which lie in that memory; 0: not known


def read_speeds(path: Path) -> list[Speed]:
    """The speeds, oldest first; none where there is no file, or it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - MOST_BYTES))
            lines = file.read(MOST_BYTES).split(b"\n")
    except OSError:
        return []
    return [speed for line in lines if (speed := _parsed(line))]


def add_speeds(path: Path, speeds: Sequence[Speed]) -> None:
    """Append `speeds`. OSError where the disk takes no more; a broken line is passed over later."""
    if not speeds:
        return
    if path.exists() and path.stat().st_size > MOST_BYTES:
        kept = read_speeds(path)
        write_text(path, _lines([*kept[len(kept) // 2 :], *speeds]), flush=False)
        return
    with path.open("a", encoding="utf-8") as file:
        file.write(_lines(speeds))


def _lines(speeds: Iterable[Speed]) -> str:
    """The lines of `speeds`. Each begins with a newline: a full disk may have cut the last one."""
    return "".join(f"\n{json.dumps(asdict(speed))}" for speed in speeds)


def _parsed(line: bytes) -> Speed | None:
    try:
        values = parse_json(line, dict)
        cost = Cost(**values.pop("cost"))
        speed = Speed(cost=cost, **values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return speed if _is_sound(speed) else None


def _is_sound(speed: Speed) -> bool:
    texts = (speed.device, speed.cost.kind)
    counts = (speed.cost.operations, speed.cost.pixels, speed.steps)
    finish = 0 if speed.finish_seconds is None else speed.finish_seconds
    times = (speed.step_seconds, speed.start_seconds, finish)
    sizes = (speed.memory, speed.picture_bytes)
    are_texts = all(isinstance(each, str) for each in texts)
    are_numbers = all(map(_is_number, (*counts, *times, *sizes)))
    return are_texts and are_numbers and speed.step_seconds >= LEAST_STEP


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= MOST
