"""Films that somebody likes: `runs/stars.json`, a list of names of jobs.

Several servers of one workspace may change it: each reads and writes it under a lock.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from jobs.errors import MultitrainError
from jobs.reading import DamagedText, read_json
from jobs.workspace import locks
from jobs.workspace.files import write_text
from jobs.workspace.paths import Workspace


class Stars:
    """The stars of a workspace; several devices may set them."""

    def __init__(self, workspace: Workspace) -> None:
        self._path, self._lock_file = workspace.stars, workspace.stars_lock
        self._lock = threading.Lock()

    def names(self) -> set[str]:
        """The jobs whose films have a star; none where the file is damaged or out of reach."""
        with suppress(OSError, DamagedText):
            return self._read()
        return set()

    def _read(self) -> set[str]:
        try:
            return {name for name in read_json(self._path, list) if isinstance(name, str)}
        except FileNotFoundError:
            return set()

    def give(self, name: str, *, starred: bool) -> None:
        """Give a film a star, or take it away.

        MultitrainError where the stars that are there cannot be read, which would be lost; OSError
        where they cannot be written.
        """
        with self._held():
            try:
                names = self._read()
            except DamagedText as error:
                reason = f"{self._path} is damaged ({error}); move it away to give stars again"
                raise MultitrainError(reason) from error
            changed = names | {name} if starred else names - {name}
            if changed != names:
                write_text(self._path, json.dumps(sorted(changed), indent=0) + "\n")

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Alone, among the threads of this server and among servers; OSError as of a lock file."""
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = locks.take(self._lock_file, wait=True)
            try:
                yield
            finally:
                if descriptor is not None:
                    os.close(descriptor)
