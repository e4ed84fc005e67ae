"""What is sent: a finished file as it is, or a backup that is packed just before."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jobs.jobfile import JobFile
from jobs.paths import JobPaths
from render.delivery.targets import (
    GONE,
    Target,
    arrived,
    backup_name,
    has_arrived,
    identity_of,
    newest_checkpoint,
    note_arrival,
)
from render.manifest import UNTOLD

LISTINGS = 5  # of a folder whose files vanish in between


class Parcel(Protocol):
    """Equal ones are sent once."""

    @property
    def name(self) -> str:
        """At the far end; it may have folders in it."""

    def is_due(self) -> bool:
        """Whether it has not arrived as it is now."""

    def packed(self) -> AbstractContextManager[tuple[Path, str]]:
        """The file to send, and its identity. FileNotFoundError where there is none any more."""

    def note(self, identity: str) -> None:
        """It has arrived. OSError where that finds no room."""


@dataclass(frozen=True)
class Output:
    """A published file."""

    paths: JobPaths
    target: Target
    name: str
    file: Path

    def is_due(self) -> bool:
        return not has_arrived(self.paths, self.target, self.name, identity_of(self.file))

    @contextmanager
    def packed(self) -> Iterator[tuple[Path, str]]:
        identity = identity_of(self.file)
        if identity == GONE:
            raise FileNotFoundError(self.file)
        yield self.file, identity

    def note(self, identity: str) -> None:
        note_arrival(self.paths, self.target, self.name, identity)


@dataclass(frozen=True)
class Backup:
    """The newest checkpoint and the job's file, as a zip file; packed anew at every try.

    The file is without the columns that are told nowhere else: addresses may hold secrets.
    """

    paths: JobPaths
    target: Target

    @property
    def name(self) -> str:
        return backup_name(self.paths)

    def is_due(self) -> bool:
        return arrived(self.paths, self.target, self.name) != newest_checkpoint(self.paths)

    @contextmanager
    def packed(self) -> Iterator[tuple[Path, str]]:
        package = self.paths.backup(self.target.key)
        try:
            yield package, _pack(self.paths, package)
        finally:
            package.unlink(missing_ok=True)

    def note(self, identity: str) -> None:
        note_arrival(self.paths, self.target, self.name, identity)


def _pack(paths: JobPaths, package: Path) -> str:
    """Identity of what was packed. The trainer may drop a checkpoint for a newer one meanwhile."""
    job = JobFile.read(paths)
    if job is None:
        raise FileNotFoundError(paths.job_file)
    settings = job.without(UNTOLD).text
    for _ in range(LISTINGS):
        newest = newest_checkpoint(paths)
        with suppress(FileNotFoundError), (paths.checkpoints / f"{newest}.h5").open("rb") as data:
            # Weights are noise to a packer: to store them is as small, and fast.
            with zipfile.ZipFile(package, "w") as archive:
                archive.writestr(paths.job_file.name, settings)
                within = f"{paths.checkpoints.name}/{newest}.h5"
                with archive.open(within, "w", force_zip64=True) as copy:
                    shutil.copyfileobj(data, copy)
            return newest
    raise FileNotFoundError(paths.checkpoints)
