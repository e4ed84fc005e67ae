"""Where the files of a job are to go, and which of them have arrived there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.plans.plan import FramePlan
from jobs.reading import DamagedText, read_text
from jobs.settings.destinations import Destination
from jobs.settings.spec import JobSpec
from jobs.workspace.files import listing, write_text
from jobs.workspace.paths import JobPaths

KEY_LETTERS = 12
GONE = "gone"  # the identity of a file that somebody has moved away


@dataclass(frozen=True)
class Target:
    """A far end that a sheet names; the login is looked up whenever something is sent."""

    url: str = ""  # as in `upload_to`; empty: the server in ftp.ini

    @property
    def key(self) -> str:
        """Names the folder of its markers; empty for ftp.ini."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:KEY_LETTERS] if self.url else ""

    @property
    def shown(self) -> str:
        """For logs."""
        return Destination.parse(self.url).shown if self.url else "the server in ftp.ini"


def targets_of(spec: JobSpec) -> tuple[Target, ...]:
    """All far ends that a sheet names."""
    found = [Target()] if spec.upload_to_ftp else []
    return (*found, *([Target(spec.upload_to)] if spec.upload_to else []))


def backup_name(paths: JobPaths) -> str:
    """What a backup is called at the far end."""
    return f"{paths.name}_checkpoint.zip"


def kept_files(paths: JobPaths) -> dict[str, Path]:
    """The weights that the job keeps, by their names at the far end: `night_kept/000001000.h5`."""
    files = map(paths.kept_weights, paths.kept_steps())
    return {f"{kept_folder(paths.name)}/{file.name}": file for file in files}


def kept_folder(job: str) -> str:
    """The folder at the far end for the weights that a job keeps."""
    return f"{job}_kept"


def files_in(outputs: Iterable[Path], renders: Path) -> dict[str, Path]:
    """Files by their names at the far end: paths below `renders`. Folders give each picture."""
    files = {}
    for output in outputs:
        inside = [output / name for name in listing(output)] or [output]
        files.update({str(file.relative_to(renders)): file for file in inside})
    return files


def has_arrived(paths: JobPaths, target: Target, name: str, identity: str) -> bool:
    """Whether the file of this name, with this identity, has arrived there."""
    return arrived(paths, target, name) in (identity, "")  # empty: noted by earlier versions


def arrived(paths: JobPaths, target: Target, name: str) -> str | None:
    """Identity of what arrived there last under this name; None where nothing did."""
    try:
        return read_text(paths.delivered(name, target.key))
    except (FileNotFoundError, NotADirectoryError, DamagedText):
        return None


def note_arrival(paths: JobPaths, target: Target, name: str, identity: str) -> None:
    """Note what has arrived. OSError where the disk has no room for that."""
    write_text(paths.delivered(name, target.key), identity)


def identity_of(file: Path) -> str:
    """Changes when the file is made anew: its size in bytes, and when it was made."""
    try:
        facts = file.stat()
    except FileNotFoundError:
        return GONE
    return f"{facts.st_size} {facts.st_mtime_ns}"


def newest_checkpoint(paths: JobPaths) -> str:
    """The newest checkpoint's identity for backups; empty where there is none."""
    names = paths.checkpoint_names()
    return str(names[-1]) if names else ""


def timecuts_sent(paths: JobPaths, plan: FramePlan, target: Target) -> int:
    """How many timecuts have arrived there, with all their boxes, from number 1 on."""
    for number in range(1, len(plan.cuts) + 1):
        if not all(_is_there(paths, target, each) for each in paths.timecuts(number, plan)):
            return number - 1
    return len(plan.cuts)


def _is_there(paths: JobPaths, target: Target, file: Path) -> bool:
    """Whether a file has arrived as it is now, or as it was before somebody moved it away."""
    found, identity = arrived(paths, target, file.name), identity_of(file)
    return found is not None and (found in (identity, "") or identity == GONE)


def ends_to_keep(paths: JobPaths, spec: JobSpec, plan: FramePlan) -> list[int]:
    """Frames within which a job that sends backups keeps a checkpoint.

    They are where the timecuts end that were sent, and the next one: with a checkpoint within
    these, the film can be whole on another machine.
    """
    if not spec.backup_period:
        return []
    sent = {timecuts_sent(paths, plan, target) for target in targets_of(spec)}
    numbers = sorted({*sent, *(number + 1 for number in sent)})
    return [plan.cuts[number - 1].stop for number in numbers if 0 < number <= len(plan.cuts)]


def unsent(paths: JobPaths, spec: JobSpec, outputs: Iterable[Path]) -> list[str]:
    """Names of what has not arrived everywhere as it is now, the last backup included."""
    files = files_in(outputs, paths.outputs)
    files |= kept_files(paths) if spec.backup_period else {}
    missing = []
    for target in targets_of(spec):
        missing += [
            name
            for name, file in files.items()
            if not has_arrived(paths, target, name, identity_of(file))
        ]
        newest, backup = newest_checkpoint(paths), backup_name(paths)
        if spec.backup_period and newest and arrived(paths, target, backup) != newest:
            missing.append(backup)
    return missing
