"""What is done to a file of a workspace, when, and to which: the cases of `benchmarks.damage`."""

from __future__ import annotations

import enum
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from random import Random
from typing import NamedTuple

from jobs.workspace.files import PART
from jobs.workspace.outputs import JPG, OutputName

START_BYTES = 64
FLIPPED_BYTES = 4


class Harm(enum.StrEnum):
    """What happens to a file, as its name stands in reports."""

    FLIPPED = "bytes flipped in its middle"
    OVERWRITTEN = "its start overwritten"
    HALVED = "cut to half"
    EMPTIED = "cut to nothing"
    REMOVED = "removed"

    def inflict(self, path: Path, random: Random) -> bool:
        """Do it, in place; False where that changes nothing, or the file is not there."""
        try:
            if self is Harm.REMOVED:
                path.unlink()
                return True
            with path.open("r+b", buffering=0) as file:
                return self._inflict(file.fileno(), os.fstat(file.fileno()).st_size, random)
        except FileNotFoundError:
            return False

    def _inflict(self, descriptor: int, size: int, random: Random) -> bool:
        match self:
            case Harm.FLIPPED:
                middle = size // 2
                before = os.pread(descriptor, FLIPPED_BYTES, middle)
                os.pwrite(descriptor, bytes(byte ^ 0xFF for byte in before), middle)
                return bool(before)
            case Harm.OVERWRITTEN:
                length = min(size, START_BYTES)
                noise = random.choice([bytes(length), random.randbytes(length)])
                return bool(length and os.pwrite(descriptor, noise, 0))
            case _:
                os.ftruncate(descriptor, size // 2 if self is Harm.HALVED else 0)
                return size > 0


class Moment(enum.StrEnum):
    """When it happens: the first one to a farm at work, the others between two runs."""

    AT_WORK = "while the farm works"
    KILLED = "after a night that was killed"
    DRAINED = "after a night that was drained"
    AMONG_EXTRAS = "after a night that was killed among loops and exports"
    DONE = "after a night that was done"


class Case(NamedTuple):
    """One thing that happens to one file; `file` is relative to the workspace."""

    file: str
    harm: Harm
    moment: Moment

    def __str__(self) -> str:
        return f"{self.file} {self.harm}, {self.moment}"


def cases(files: Mapping[Moment, Mapping[str, int]], random: Random) -> list[Case]:
    """Every harm to every file that is there at each moment; `files` tell their bytes.

    Where the names of several differ in numbers, boxes and jobs alone, each harm meets one of them.
    Of an empty file, nothing can be taken but itself.
    """
    chosen = []
    for moment, there in files.items():
        alike = defaultdict(list)
        for file in sorted(there):
            alike[_pattern(file)].append(file)
        for group in alike.values():
            for harm in Harm:
                able = [file for file in group if there[file] or harm is Harm.REMOVED]
                if able:
                    chosen.append(Case(random.choice(able), harm, moment))
    return chosen


def _pattern(file: str) -> str:
    """What names of files that are alike have in common."""
    without_numbers = re.sub(r"\d+", "#", file.replace(owner(file) or "/", "*"))
    return without_numbers.replace("_box#", "").replace("box#_", "")


IN_RUNS = {
    "farm.sqlite": "store",
    "farm.sqlite-journal": "store",
    "farm.lock": "lock",
    "spool.lock": "lock",
    "render.log": "log",
    "log.txt": "log",
    "render.alive": "heartbeat",
    "progress.jsonl": "progress",
    "farm.json": "time left",
    "speeds.jsonl": "speeds",
}
IN_FOLDERS = {
    "checkpoints": "checkpoint",
    "kept": "kept weights",
    "made": "note of what is made",
    "tensorboard": "curves",
    ".cache": "decoded pictures",
}
BY_SUFFIX = {
    ("spool", ".rgb"): "raw batch",
    ("segments", ".png"): "marker of PNG frames",
    ("segments", ".mp4"): "segment",
}


def kind(file: str) -> str:
    """What a file of a workspace is for, in a word or two; one of no known kind by its name."""
    path = PurePosixPath(file)
    if any(part.endswith(PART) for part in path.parts):
        return "unfinished batch" if path.parent.name == "spool" else "half-made file"
    if path.parts[0] == "data":
        return "picture of a data set"
    if path.parts[0] == "renders":
        return _kind_of_output(path)
    known = IN_FOLDERS.get(path.parent.name) or IN_RUNS.get(path.name)
    return known or BY_SUFFIX.get((path.parent.name, path.suffix)) or _by_its_name(path)


def _kind_of_output(path: PurePosixPath) -> str:
    if len(path.parts) > 2:
        return "PNG frame"
    if path.suffix == ".json":
        return "manifest"
    name = OutputName.parse(path.name)
    if name is None:
        return _by_its_name(path)
    if name.suffix == JPG:
        return "poster"
    if name.loop is not None:
        return "loop"
    if name.is_timecut or name.is_film:
        return "timecut" if name.is_timecut else "film"
    return "export"


def _by_its_name(path: PurePosixPath) -> str:
    """`job.yaml`; of one with numbers in its name, its folder and suffix: `segments/*.sha256`."""
    return f"{path.parent.name}/*{path.suffix}" if re.search(r"\d", path.name) else path.name


def owner(file: str) -> str | None:
    """The job that a file belongs to; None where it belongs to all."""
    path = PurePosixPath(file.removesuffix(PART))
    match path.parts:
        case ["runs", job, _, *_] if not job.startswith("."):
            return job
        case ["renders", job, _, *_]:
            return job
        case ["renders", name]:
            output = OutputName.parse(name)
            return output.job if output else path.stem
    return None
