"""Films that somebody likes: `runs/stars.json`, a list of names of jobs."""

from __future__ import annotations

import json
import threading

from jobs.reading import DamagedText, read_json
from jobs.workspace.files import write_text
from jobs.workspace.paths import Workspace

MOST = 100_000  # names


class Stars:
    """The stars of a workspace; several devices may set them."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.stars
        self._lock = threading.Lock()

    def names(self) -> set[str]:
        """The jobs whose films have a star; none where the file is damaged or out of reach."""
        try:
            return {name for name in read_json(self._path, list)[:MOST] if isinstance(name, str)}
        except (OSError, DamagedText):
            return set()

    def give(self, name: str, *, starred: bool) -> None:
        """Give a film a star, or take it away. OSError where that cannot be written."""
        with self._lock:
            names = self.names()
            changed = names | {name} if starred else names - {name}
            if changed != names:
                write_text(self._path, json.dumps(sorted(changed), indent=0) + "\n")
