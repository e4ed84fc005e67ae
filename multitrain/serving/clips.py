"""Loops that the page makes of a moment, with `multitrain loop` and `walk`: files in `clips/`.

One is made at a time, at low priority. What is asked for while the server ends is asked for again.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, NamedTuple

from jobs.secrets import hidden
from jobs.settings.videos import MP4
from jobs.workspace.files import listing
from jobs.workspace.paths import JobPaths
from multitrain.serving.bodies import Refused, nothing_else, take
from multitrain.serving.media import version_of
from multitrain.serving.night import Night
from multitrain.serving.programs import Programs

MODES = ("best", "pingpong", "walk")
LEAST, MOST = 1, 120  # seconds
WITHIN = 10  # seconds of the film in which the beginning of a `best` is looked for
SECONDS = 2 * 3600.0  # walks on cores take long
MOST_WAITING = 20
MOST_TOLD = 20  # failures that are remembered
_NAME = re.compile(rf"_(best|pingpong|walk)_(\d{{1,3}})s_(from|step)_?(\d+(?:\.\d+)?)s?{MP4}")


class Clip(NamedTuple):
    """A loop of a job; `at`: seconds of its film, or, for walks, a step of its training."""

    job: str
    mode: str
    seconds: int
    at: float

    @property
    def file(self) -> str:
        """Its name in `clips/`."""
        where = f"step_{int(self.at)}" if self.mode == "walk" else f"from_{self.at:.2f}s"
        return f"{self.job}_{self.mode}_{self.seconds}s_{where}{MP4}"

    @classmethod
    def parse(cls, job: str, file: str) -> Clip | None:
        """The clip of this job that a file is called for; None for anything else."""
        match = _NAME.fullmatch(file[len(job) :]) if file.startswith(job) else None
        if match is None:
            return None
        clip = cls(job, match[1], int(match[2]), float(match[4]))
        return clip if clip.file == file else None

    def for_machines(self) -> dict[str, Any]:
        """What the page is told."""
        return {"mode": self.mode, "seconds": self.seconds, "at": self.at, "file": self.file}


class Clips:
    """The clips of a workspace, and those that are being made."""

    def __init__(self, night: Night, programs: Programs) -> None:
        """`programs` are run one at a time."""
        self._night, self._programs = night, programs
        self._making: dict[Clip, asyncio.Task[None]] = {}
        self._failed: dict[Clip, str] = {}

    def of(self, paths: JobPaths) -> list[dict[str, Any]]:
        """Those of a job; one without a `version` is being made, or has failed with `trouble`."""
        folder = self._night.workspace.clips
        told = []
        for name in listing(folder):
            clip = Clip.parse(paths.name, name)
            if clip is None or clip in self._making:
                continue
            try:
                facts = (folder / name).stat()
            except OSError:
                continue
            version = version_of(facts.st_mtime_ns)
            told.append({**clip.for_machines(), "bytes": facts.st_size, "version": version})
        ours = [clip for clip in (*self._making, *self._failed) if clip.job == paths.name]
        return told + [
            {**clip.for_machines(), "version": "", "trouble": self._failed.get(clip, "")}
            for clip in ours
        ]

    def make(self, clip: Clip, film_seconds: float) -> str:
        """Have it made, unless it is there; what is to be said of that. Refused where it cannot."""
        if (self._night.workspace.clips / clip.file).exists():
            return f"{clip.file} is there already"
        if clip in self._making:
            return f"{clip.file} is being made"
        if len(self._making) >= MOST_WAITING:
            raise Refused(429, f"{MOST_WAITING} loops are waiting already")
        self._failed.pop(clip, None)
        self._making[clip] = asyncio.create_task(self._run(clip, film_seconds))
        return f"{clip.file} is being made"

    async def _run(self, clip: Clip, film_seconds: float) -> None:
        try:
            self._night.workspace.clips.mkdir(exist_ok=True)
            arguments = self._arguments(clip, film_seconds)
            said = await self._programs.run(arguments, SECONDS, is_low=True)
            why = "" if not said.code else _last_line(said.err)
        except (Refused, OSError) as error:
            why = str(error)
        finally:
            del self._making[clip]
        if why:
            while len(self._failed) >= MOST_TOLD:
                del self._failed[next(iter(self._failed))]
            self._failed[clip] = hidden(why)

    def _arguments(self, clip: Clip, film_seconds: float) -> list[str]:
        output = self._night.workspace.clips / clip.file
        common = [
            *("--seconds", str(clip.seconds), "--format", "h264", "--output", str(output)),
            *("--workspace", str(self._night.workspace.root), "--", clip.job),
        ]
        if clip.mode == "walk":
            return ["walk", "--checkpoint", str(int(clip.at)), *common]
        start = ["--mode", clip.mode, "--start", f"{begin(clip, film_seconds):.3f}"]
        if clip.mode == "best":
            start += ["--within", str(WITHIN)]
        return ["loop", *start, *common]


def begin(clip: Clip, film_seconds: float) -> float:
    """Where in the film a loop begins: where it was asked for, or so early that it fits."""
    taken = clip.seconds / 2 if clip.mode == "pingpong" else clip.seconds + min(2, clip.seconds / 8)
    return max(0.0, min(clip.at, film_seconds - taken - 0.2))


def clip_of(fields: dict[str, Any]) -> tuple[str, str, int, int]:
    """The job, mode, seconds and frame that a body asks for; Refused for anything else."""
    name, mode = take(fields, "name", str), take(fields, "mode", str)
    frame, seconds = take(fields, "frame", int), take(fields, "seconds", int)
    nothing_else(fields)
    if mode not in MODES:
        raise Refused(400, f"loops are {', '.join(MODES)}")
    if not LEAST <= seconds <= MOST:
        raise Refused(400, f"loops last between {LEAST} and {MOST} seconds")
    if not 0 <= frame < 10**12:
        raise Refused(400, "there is no such frame")
    return name, mode, seconds, frame


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it could not be made"
