"""`<job>_checkpoint.zip`: what a job needs to go on on another machine, but its pictures and film.

    job.yaml                     without the columns that may hold secrets
    checkpoints/<name>.h5        the newest; and the newest one within the timecuts that were sent
    backup.json                  its version, and size and digest of each timecut that was sent
    beginning.h5  encoder.json   where the job has them

Earlier versions packed `job.yaml` and the newest checkpoint alone.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.reading import parse_json
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths
from render.delivery.losing import backed_up, going_on, told_now
from render.delivery.targets import Target, newest_checkpoint, timecuts_sent
from render.films.manifest import UNTOLD
from render.spool.manifest_facts import Facts
from render.spool.notes import noted_digest

VERSION = 1
INDEX = "backup.json"
LISTINGS = 5  # of a folder whose files vanish in between


@dataclass(frozen=True)
class Index:
    """What `backup.json` says; that of an earlier version's backup says nothing."""

    timecuts: Mapping[str, Facts]  # by name: those that had arrived
    version: int = VERSION

    @property
    def text(self) -> str:
        timecuts = {
            name: {"bytes": facts.bytes, "sha256": facts.sha256}
            for name, facts in self.timecuts.items()
        }
        return json.dumps({"version": self.version, "timecuts": timecuts}, indent=2) + "\n"

    @classmethod
    def parse(cls, text: bytes) -> Index:
        """ValueError where it is none."""
        match parse_json(text, dict):
            case {"version": int(version)} if version > VERSION:
                return cls({}, version)
            case {"version": int(version), "timecuts": dict(timecuts)}:
                known = {str(name): _facts(facts) for name, facts in timecuts.items()}
                return cls(known, version)
        raise ValueError("it is no index of a backup")


def pack(paths: JobPaths, target: Target, package: Path) -> str:
    """Write the backup to the file `package`; the identity of its newest checkpoint.

    FileNotFoundError where there is nothing to pack. The trainer may replace checkpoints meanwhile.
    """
    job = JobFile.read(paths)
    if job is None:
        raise FileNotFoundError(paths.job_file)
    settings, sent = job.without(UNTOLD).text, timecuts_sent(paths, job.plan, target)
    until = job.plan.cuts[sent - 1].stop if sent else 0
    for _ in range(LISTINGS):
        newest = newest_checkpoint(paths)
        names = backed_up(paths.checkpoint_names(), until)
        with suppress(FileNotFoundError), zipfile.ZipFile(package, "w") as archive:
            archive.writestr(paths.job_file.name, settings)
            for name in reversed(names):
                _add(archive, paths.checkpoint(name), f"{paths.checkpoints.name}/{name}.h5")
            archive.writestr(INDEX, Index(_known(paths, job, sent)).text)
            for file in (paths.beginning, paths.encoder):
                if file.exists():
                    _add(archive, file, file.name)
            if names and str(names[-1]) == newest:
                return newest
    raise FileNotFoundError(paths.checkpoints)


def cost_of_a_loss(paths: JobPaths, target: Target, newest: str) -> str | None:
    """A line for the log on what is lost with this machine, by the backup that has just arrived.

    `newest` is the identity of its newest checkpoint. None where the job's files have changed.
    """
    job = JobFile.read(paths)
    names = [name for name in paths.checkpoint_names() if str(name) <= newest]
    if job is None or not names:
        return None
    sent = timecuts_sent(paths, job.plan, target)
    until = job.plan.cuts[sent - 1].stop if sent else 0
    there = range(1, sent + 1)
    going = going_on(job.spec, job.plan, backed_up(names, until), there)
    return told_now(paths.name, going, names[-1].step)


def _add(archive: zipfile.ZipFile, file: Path, name: str) -> None:
    """Weights cannot be compressed: they are stored, which is faster."""
    with file.open("rb") as data, archive.open(name, "w", force_zip64=True) as copy:
        shutil.copyfileobj(data, copy)


def _known(paths: JobPaths, job: JobFile, count: int) -> dict[str, Facts]:
    """Size and digest of the first `count` timecuts, as far as they are noted."""
    found = {}
    for number in range(1, count + 1):
        for file in paths.timecuts(number, job.plan):
            with suppress(FileNotFoundError):
                if digest := noted_digest(paths, file):
                    found[file.name] = Facts(file.stat().st_size, digest)
    return found


def _facts(facts: object) -> Facts:
    match facts:
        case {"bytes": int(size), "sha256": str(digest)}:
            return Facts(size, digest)
    raise ValueError("a timecut has no size or no digest")


def checkpoint_in(member: str) -> CheckpointName | None:
    """The checkpoint that a file of a backup is; None where it is another one."""
    folder, _, file = member.partition("/")
    step, _, frame = file.removesuffix(".h5").partition("-")
    if folder != "checkpoints" or not (step.isdecimal() and frame.isdecimal()):
        return None
    name = CheckpointName(int(step), int(frame))
    return name if member == f"{folder}/{name}.h5" else None
