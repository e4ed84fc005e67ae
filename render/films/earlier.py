"""Takes: a film with all that was made with it. An earlier one is kept when a later one is there.

An earlier take lies in `renders/earlier/<job>-<number>/`, its run folder in
`runs/.earlier/<job>-<number>/`. `render.films.replacing` moves it there.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.reading import read_json
from jobs.workspace.files import listing, modified
from jobs.workspace.outputs import OutputName
from jobs.workspace.paths import JobPaths, Workspace

_FOLDER = re.compile(r"(?P<job>.+)-(?P<number>[1-9]\d*)")


@dataclass(frozen=True)
class EarlierTake:
    """An earlier take in `renders/earlier/`, or a part of one: single files that were replaced."""

    workspace: Workspace
    job: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.job}-{self.number}"

    @property
    def outputs(self) -> Path:
        return self.workspace.earlier / self.name

    @property
    def run(self) -> Path:
        return self.workspace.earlier_runs / self.name

    @property
    def is_in_place(self) -> bool:
        """Whether its film still lies in `renders/`, because the next one is not there yet."""
        return replaced_by(self.workspace.job(self.job)) == self

    @property
    def films_in_place(self) -> list[Path]:
        """Its outputs that still lie in `renders/`."""
        return outputs_in(self.workspace.renders, self.job) if self.is_in_place else []

    @property
    def is_whole(self) -> bool:
        """Whether it is a take, not only some files of one."""
        return self.run.exists() or (self.outputs / f"{self.job}.json").exists()

    @property
    def has_film(self) -> bool:
        """Whether it is a whole take with something to see."""
        return bool(self.films_in_place) or (self.is_whole and bool(self.files))

    @property
    def files(self) -> list[Path]:
        return [self.outputs / name for name in listing(self.outputs)]

    @property
    def set_aside(self) -> float:
        """When it was set aside, in unix seconds."""
        return max(modified(self.outputs), modified(self.run)) / 1e9

    @property
    def bytes(self) -> int:
        """Bytes that dropping it would free: a file that is also linked elsewhere frees none."""
        return freed_bytes((self.outputs, self.run))


def earlier_takes(workspace: Workspace) -> list[EarlierTake]:
    """The earlier takes of all jobs; of each job the oldest first."""
    in_place = (replaced_by(workspace.job(name)) for name in listing(workspace.runs))
    takes = {*_set_aside(workspace), *filter(None, in_place)}
    return sorted(takes, key=lambda take: (take.job, take.number))


def next_take(paths: JobPaths, further: int = 0) -> EarlierTake:
    """The place of the take that is set aside next; with `further`, of one so many after it."""
    replaced = replaced_by(paths)
    taken = _numbers(paths) + ([replaced.number] if replaced else [])
    return EarlierTake(paths.workspace, paths.name, max(taken, default=0) + 1 + further)


def replaced_by(paths: JobPaths) -> EarlierTake | None:
    """The earlier take that the job's new film is to replace; None where there is none."""
    try:
        name = str(read_json(paths.replaces, dict)["earlier"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError):
        name = ""
    take = _take(paths.workspace, name)
    if take is None or take.job != paths.name:  # damaged: some other number does as well
        return EarlierTake(paths.workspace, paths.name, max(_numbers(paths), default=0) + 1)
    return take


def earlier_bytes(workspace: Workspace) -> int:
    """Bytes that dropping all earlier takes would free."""
    return sum(take.bytes for take in _set_aside(workspace))


def freed_bytes(paths: Sequence[Path]) -> int:
    """Bytes that deleting these files and folders would free."""
    return sum(facts.st_size for path in paths for facts in _facts(path))


def outputs_in(folder: Path, job: str) -> list[Path]:
    """What lies in `folder` of this job: videos, pictures, exports, PNG frames, its manifest."""
    alike = (name for name in listing(folder) if name.startswith(job))  # the folder may hold many
    return [folder / name for name in alike if _job_of(name, {job}) == job]


def outputs_by_job(folder: Path, jobs: Collection[str]) -> Mapping[str, list[Path]]:
    """As `outputs_in`, for many jobs, by name; the folder may hold thousands of files."""
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for name in listing(folder):
        if job := _job_of(name, jobs):
            found[job].append(folder / name)
    return found


def _job_of(name: str, jobs: Collection[str]) -> str | None:
    """Which of `jobs` an output of this name belongs to."""
    output = OutputName.parse(name)
    candidates = (name, name.removesuffix(".json"), output.job if output else None)
    return next((each for each in candidates if each in jobs), None)


def _set_aside(workspace: Workspace) -> list[EarlierTake]:
    """Those with files of their own: not the ones that only keep their place in `renders/`."""
    names = {*listing(workspace.earlier), *listing(workspace.earlier_runs)}
    return [take for name in names if (take := _take(workspace, name))]


def _numbers(paths: JobPaths) -> list[int]:
    return [take.number for take in _set_aside(paths.workspace) if take.job == paths.name]


def _take(workspace: Workspace, name: str) -> EarlierTake | None:
    match = _FOLDER.fullmatch(name)
    return EarlierTake(workspace, match["job"], int(match["number"])) if match else None


def _facts(path: Path) -> Iterator[os.stat_result]:
    """The facts of a file, or of all files in a folder, that have no link elsewhere."""
    files = [path] if path.is_file() else []
    files += [Path(where, name) for where, _, names in os.walk(path) for name in names]
    for file in files:
        with suppress(FileNotFoundError):
            if (facts := file.lstat()).st_nlink == 1:
                yield facts
