"""ffmpeg with a memory: it makes the same of the same, and scenes are played hundreds of times."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jobs.paths import PART
from render.commands import LIST


class RememberedRuns:
    """Stands in for `subprocess.run`; a run of ffmpeg on the same bytes is done only once."""

    def __init__(self, run: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
        self._run = run
        self._made: dict[tuple[object, ...], _Made] = {}

    def __call__(
        self, command: Sequence[str], *, stdout: io.IOBase | int | None = None, **options: object
    ) -> subprocess.CompletedProcess[bytes]:
        if not isinstance(stdout, io.IOBase):  # none of ours
            return self._run(command, stdout=stdout, **options)
        key = (*command, *(path.read_bytes() for path in _inputs(command)))
        if key not in self._made:
            done = self._run(command, stdout=stdout, **options)
            if done.returncode:
                return done
            stdout.seek(0)
            files = {path: path.read_bytes() for path in _outputs(command)}
            self._made[key] = _Made(stdout.read(), files)
            return done
        made = self._made[key]
        stdout.write(made.said)
        for path, data in made.files.items():
            path.write_bytes(data)
        return subprocess.CompletedProcess(command, 0)


class _Made(NamedTuple):
    said: bytes
    files: dict[Path, bytes]


def _inputs(command: Sequence[str]) -> Iterator[Path]:
    if "-i" not in command:
        return
    path = Path(command[command.index("-i") + 1])
    yield path
    if path.name.endswith(LIST + PART):
        for line in path.read_text().splitlines()[1:]:
            yield Path(line.removeprefix("file '").removesuffix("'"))


def _outputs(command: Sequence[str]) -> Iterator[Path]:
    for argument in command:
        if "%09d" in argument:
            yield from Path(argument).parent.iterdir()
        elif argument.endswith(PART) and LIST not in argument:
            yield Path(argument)
