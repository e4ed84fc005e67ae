"""What is sent: a finished file as it is, or a backup that is packed just before."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jobs.errors import MultitrainError
from jobs.workspace.paths import JobPaths
from render.delivery.backups import cost_of_a_loss, pack
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

log = logging.getLogger(__name__)


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
    """What the job needs to go on elsewhere (`backups`); packed anew at every try."""

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
            yield package, pack(self.paths, self.target, package)
        finally:
            package.unlink(missing_ok=True)

    def note(self, identity: str) -> None:
        note_arrival(self.paths, self.target, self.name, identity)
        try:
            cost = cost_of_a_loss(self.paths, self.target, identity)
        except (MultitrainError, OSError):  # only said
            return
        if cost:
            log.info("%s", cost)
