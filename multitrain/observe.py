"""What a running job tells through its folder: progress, failures, published videos."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jobs.errors import ExitCode, MultitrainError
from jobs.failures import Failure, Kind
from jobs.jobfile import JobFile
from jobs.outputs import JPG, OutputName, loop_files
from jobs.paths import JobPaths, Workspace, listing, modified
from multitrain.broken_devices import names_broken_device
from multitrain.progress import parse_line
from render.notes import made_extras

TAIL_BYTES = 16_384  # about a hundred lines of progress
SPEED_SECONDS = 30.0  # the speed is the mean over these


@dataclass(frozen=True)
class Progress:
    """How far `progress.jsonl` says that a training is; `frames_per_second` is 0 if unknown."""

    step: int
    frame: int
    frames_per_second: float
    walked: int = 0  # frames of walks that were drawn since the training was over


def last_progress(path: Path, wall: Callable[[], float] = time.time) -> Progress | None:
    """What the newest whole lines of a progress file tell; None where there are none yet.

    `wall` tells unix seconds, as the lines do: a speed of long ago is none.
    """
    lines = [line for text in _tail(path).split(b"\n") if (line := parse_line(text))]
    if not lines:
        return None
    newest = lines[-1]
    first = next(line for line in lines if newest.time - line.time <= SPEED_SECONDS)
    seconds = newest.time - first.time
    is_current = seconds > 0 and wall() - newest.time <= SPEED_SECONDS
    speed = (newest.frame - first.frame) / seconds if is_current else 0.0
    return Progress(newest.step, newest.frame, speed, newest.walked)


def training_failure(paths: JobPaths, code: int) -> Failure:
    """Why the trainer ended with `code`: its own words, else what the code tells."""
    told = Failure.load(paths.training_failure)
    if told:
        return told
    if code == ExitCode.DONE:
        return Failure(Kind.ERROR, "the trainer ended before all frames were there")
    if code == ExitCode.DISK_FULL:
        return Failure(Kind.DISK_FULL, "the disk is full")
    if code == -signal.SIGKILL:
        reason = "the trainer was killed, by hand or by the system for want of memory"
        return Failure(Kind.ERROR, reason)
    if code == -signal.SIGBUS:
        reason = f"the decoded pictures in {paths.workspace.cache} could not be read (SIGBUS)"
        return Failure(Kind.ERROR, reason)
    if code == -signal.SIGABRT and names_broken_device(_tail(paths.log).decode(errors="replace")):
        return Failure(Kind.DEVICE, "the trainer crashed; its log tells of a broken GPU")
    if code < 0:
        return Failure(Kind.ERROR, f"the trainer crashed with {signal.Signals(-code).name}")
    return Failure(Kind.ERROR, f"the trainer ended with code {code}")


def published(workspace: Workspace) -> dict[str, list[Path]]:
    """What lies in `renders/`, by job; the timecuts in their order, then films, then the rest."""
    outputs: dict[str, list[Path]] = {}
    for name in _in_order(filter(None, map(OutputName.parse, listing(workspace.renders)))):
        outputs.setdefault(name.job, []).append(workspace.renders / str(name))
    return outputs


class LoopCount(NamedTuple):
    """How many loops of a job are there, and how many its sheet asks for."""

    loops_done: int
    loops_total: int

    def __str__(self) -> str:
        return f"{self.loops_done}/{self.loops_total}"


def loops_of(paths: JobPaths) -> LoopCount:
    """Of a job that has begun; none where it has not, or cannot be read."""
    try:
        job = JobFile.read(paths)
    except MultitrainError:
        return LoopCount(0, 0)
    if job is None or not job.spec.loops:
        return LoopCount(0, 0)
    made = made_extras(paths, job)
    missing = {each.number for each in loop_files(job.spec, job.plan) if each not in made}
    return LoopCount(len(job.spec.loops) - len(missing), len(job.spec.loops))


def _in_order(names: Iterable[OutputName]) -> list[OutputName]:
    return sorted(names, key=_place)


def _place(name: OutputName) -> tuple[float, bool, int, int, str]:
    return name.timecut or math.inf, not name.is_film, name.loop or 0, name.box or 0, str(name)


class NewOutputs:
    """What comes to `renders/` from now on."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._changed = -1
        self._seen: set[str] = set()
        self.look()  # what earlier runs have made is no news

    def look(self) -> list[tuple[str, Path]]:
        """Outputs that were published since the last look, with the names of their jobs."""
        changed = modified(self._workspace.renders)
        if changed == self._changed:
            return []
        self._changed = changed
        new = [file for file in listing(self._workspace.renders) if file not in self._seen]
        self._seen.update(new)
        names = _in_order(filter(None, map(OutputName.parse, new)))
        videos = [name for name in names if name.suffix != JPG]  # pictures come with their film
        return [(name.job, self._workspace.renders / str(name)) for name in videos]


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - TAIL_BYTES))
            return file.read()
    except OSError:  # not there yet, or out of reach for a moment
        return b""
