"""What is sent: a finished file as it is, or a backup that is packed just before."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
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
from render.films.manifest import UNTOLD

LISTINGS = 5  # of a folder whose files vanish in between


class Parcel(Protocol):
    """Something to send; equal parcels are sent once."""

    @property
    def name(self) -> str:
        """Its name at the far end, which may have folders in it."""

    def is_due(self) -> bool:
        """Whether it has still to be sent: what arrived, if anything, differs from it now."""

    def packed(self) -> AbstractContextManager[tuple[Path, str]]:
        """The file to send, and its identity. FileNotFoundError where there is none any more."""

    def note(self, identity: str) -> None:
        """Note that it has arrived. OSError where the disk has no room for that."""


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

    The job's file leaves out the columns that the manifest does, too: addresses may hold secrets.
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
    """Packs and returns the checkpoint's identity; the trainer may replace it by a newer one."""
    job = JobFile.read(paths)
    if job is None:
        raise FileNotFoundError(paths.job_file)
    settings = job.without(UNTOLD).text
    for _ in range(LISTINGS):
        newest = newest_checkpoint(paths)
        with suppress(FileNotFoundError), (paths.checkpoints / f"{newest}.h5").open("rb") as data:
            # Weights cannot be compressed: they are stored, which is faster.
            with zipfile.ZipFile(package, "w") as archive:
                archive.writestr(paths.job_file.name, settings)
                within = f"{paths.checkpoints.name}/{newest}.h5"
                with archive.open(within, "w", force_zip64=True) as copy:
                    shutil.copyfileobj(data, copy)
            return newest
    raise FileNotFoundError(paths.checkpoints)
