"""What a running job tells through its folder: progress, failures, published videos."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.paths import JobPaths, Workspace, listing

TAIL_BYTES = 4096  # several progress lines
UNKNOWN = "unknown"

_VIDEO = re.compile(r"(?P<job>.+?)(?P<cut>_timecut\d{4,})?(?P<box>_box\d{4,})?\.mp4")


@dataclass(frozen=True)
class Progress:
    """The last line of `progress.jsonl`."""

    step: int
    frame: int
    steps_per_second: float


@dataclass(frozen=True)
class Failure:
    """Why a process gave up: `kind` for decisions, `reason` in one line for people."""

    kind: str
    reason: str


def last_progress(path: Path) -> Progress | None:
    """The newest whole line of a progress file; None where there is none yet."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - TAIL_BYTES))
            tail = file.read()
    except FileNotFoundError:
        return None
    for line in reversed(tail.split(b"\n")):
        match _parse(line):
            case {"step": int(step), "frame": int(frame), "steps_per_second": int() | float() as x}:
                return Progress(step, frame, float(x))
    return None


def training_failure(paths: JobPaths, code: int) -> Failure:
    """Why the trainer ended with `code`: its own words, else what the code tells."""
    told = read_failure(paths.training_failure)
    if told:
        return told
    if code == 0:
        return Failure(UNKNOWN, "the trainer ended before all frames were there")
    if code == -signal.SIGKILL:
        reason = "the trainer was killed, by hand or by the system for want of memory"
        return Failure(UNKNOWN, reason)
    if code < 0:
        return Failure(UNKNOWN, f"the trainer crashed with {signal.Signals(-code).name}")
    return Failure(UNKNOWN, f"the trainer ended with code {code}")


def read_failure(path: Path) -> Failure | None:
    """A failure that a process left in its job's folder; None where there is none."""
    try:
        written = _parse(path.read_bytes())
    except FileNotFoundError:
        return None
    match written:
        case {"kind": str(kind), "reason": str(reason)}:
            return Failure(kind, " ".join(reason.split()))
    return Failure(UNKNOWN, f"{path.name} is damaged")


def published_videos(workspace: Workspace) -> dict[str, list[Path]]:
    """Timecuts and films in `renders/`, by job, in the order of their names."""
    videos: dict[str, list[Path]] = {}
    for name in listing(workspace.renders):
        if match := _VIDEO.fullmatch(name):
            videos.setdefault(match["job"], []).append(workspace.renders / name)
    return videos


def modified(folder: Path) -> int:
    """When a name in `folder` last came or went, in nanoseconds; 0 where there is no folder."""
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
