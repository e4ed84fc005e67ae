"""What the folder of a running job shows: progress, failures, published videos."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import ExitCode
from jobs.workspace.failures import Failure, Kind
from jobs.workspace.files import listing, modified, present
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import JPG, OutputName, extra_names, extras
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.diagnosis.broken_devices import names_broken_device
from multitrain.protocol.progress_lines import ProgressLine, parse_line

TAIL_BYTES = 16_384  # about a hundred lines of progress
SPEED_SECONDS = 30.0  # the speed is the mean over these


@dataclass(frozen=True)
class Progress:
    """How far `progress.jsonl` says that a training is; `steps_per_second` is 0 if unknown."""

    step: int
    frame: int
    steps_per_second: float
    walked: int = 0  # frames of walks that were drawn since the training was over
    time: float = 0.0  # unix seconds, when the line was written
    waited: float = 0.0  # seconds for which there was no room on the disk


def last_progress(path: Path, wall: Callable[[], float] = time.time) -> Progress | None:
    """Progress by the newest whole lines of a progress file; None where there are none yet.

    `wall` returns unix seconds, as the lines have them: a speed of long ago counts as unknown.
    """
    lines = _newest_lines(path)
    if not lines:
        return None
    newest = lines[-1]
    first = next(line for line in lines if newest.time - line.time <= SPEED_SECONDS)
    seconds = newest.time - first.time
    is_current = seconds > 0 and wall() - newest.time <= SPEED_SECONDS
    speed = (newest.step - first.step) / seconds if is_current else 0.0
    return Progress(newest.step, newest.frame, speed, newest.walked, newest.time, newest.waited)


def first_progress(path: Path, beyond: int) -> Progress | None:
    """Progress by the first of the newest lines that is beyond step `beyond`, or None."""
    lines = (line for line in _newest_lines(path) if line.step > beyond)
    return next(
        (
            Progress(each.step, each.frame, 0.0, each.walked, each.time, each.waited)
            for each in lines
        ),
        None,
    )


def training_failure(paths: JobPaths, code: int) -> Failure:
    """Why the trainer ended with `code`: the failure it has saved, else what the code means."""
    failure = Failure.load(paths.training_failure)
    if failure:
        return failure
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


def _in_order(names: Iterable[OutputName]) -> list[OutputName]:
    return sorted(names, key=_place)


def _place(name: OutputName) -> tuple[float, bool, int, int, str]:
    return name.timecut or math.inf, not name.is_film, name.loop or 0, name.box or 0, str(name)


class NewOutputs:
    """Videos that jobs publish from now on."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        folders = [workspace.renders, *(workspace.next / job for job in listing(workspace.next))]
        # What earlier runs have made is no news.
        self._seen = {folder: set(listing(folder)) for folder in folders}
        self._changed: dict[Path, int] = {}
        self._awaited: dict[str, tuple[str, ...]] = {}  # names of videos, by job

    def look(self, jobs: Iterable[tuple[JobPaths, JobFile]]) -> list[tuple[str, Path]]:
        """Job and path of each video published since the last look, by these jobs or those then.

        `renders` may hold the files of thousands of jobs, and changes all the time: only what these
        jobs are to make is looked for.
        """
        begun, self._awaited = (
            self._awaited,
            {
                paths.name: self._awaited.get(paths.name) or _videos_of(paths, job)
                for paths, job in jobs
            },
        )
        awaited = begun | self._awaited
        is_known = awaited.keys() <= begun.keys()
        names = [name for videos in awaited.values() for name in videos]
        found = self._look(self._workspace.renders, names, is_known=is_known)
        for job, videos in awaited.items():
            found += self._look(self._workspace.next / job, videos, is_known=job in begun)
        return found

    def _look(
        self, folder: Path, names: Iterable[str], *, is_known: bool
    ) -> list[tuple[str, Path]]:
        """`is_known`: these were looked for before, so an unchanged folder has no new ones."""
        changed = modified(folder)
        if not changed or (is_known and changed == self._changed.get(folder)):
            return []
        self._changed[folder] = changed
        seen = self._seen.setdefault(folder, set())
        new = present(folder, [name for name in names if name not in seen])
        seen.update(new)
        outputs = _in_order(filter(None, map(OutputName.parse, new)))
        return [(output.job, folder / str(output)) for output in outputs]


def _videos_of(paths: JobPaths, job: JobFile) -> tuple[str, ...]:
    """Names of all that a job is to publish but pictures, which come with their film."""
    spec, plan = job.spec, job.plan
    made = [name for extra in extras(spec, plan) for name in extra_names(paths.name, extra, spec)]
    films = [video.name for video in (*paths.all_timecuts(plan), *paths.films(plan))]
    return tuple(name for name in (*films, *made) if not name.endswith(JPG))


def _newest_lines(path: Path) -> list[ProgressLine]:
    """The newest whole lines, from the oldest to the newest."""
    return [line for text in _tail(path).split(b"\n") if (line := parse_line(text))]


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - TAIL_BYTES))
            return file.read()
    except OSError:  # not there yet, or out of reach for a moment
        return b""
