"""Names that a job may not have, because something else in its workspace has them.

Two names are one where they differ in letter case or in how accents are written: file systems of
Windows and macOS, and disks that come from there, do not tell them apart.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property
from pathlib import Path

from jobs.workspace.files import listing
from jobs.workspace.outputs import OutputName
from jobs.workspace.paths import Workspace

MANIFEST = ".json"


def folded(name: str) -> str:
    """One and the same text for all names that a file system may take for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class TakenNames:
    """The taken names of one workspace, as it was when first asked."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def reason(self, name: str) -> str | None:
        """Why a job cannot have this name, in one clause; None where it can."""
        key = folded(name)
        if key in self._own or key.startswith(self._beginning_of_own):
            return f"{name!r} is a name that the workspace needs itself; choose another one"
        others = self._jobs.get(key, set()) - {name}
        if others and name not in self._jobs[key]:
            return (
                f"differs from {min(others)!r}, a job of this workspace, only in letter case or in "
                "how accents are written; choose another one"
            )
        return None

    @cached_property
    def _beginning_of_own(self) -> str:
        """How the folded names of the store and of SQLite's files beside it begin."""
        return folded(self._workspace.store.name)

    @cached_property
    def _own(self) -> set[str]:
        """Folded names of what the workspace itself has in the folders where jobs have files."""
        values = (getattr(self._workspace, name) for name in dir(Workspace) if name[0] != "_")
        paths = (each for each in values if isinstance(each, Path))
        folders = (self._workspace.runs, self._workspace.renders)
        return {folded(each.name) for each in paths if each.parent in folders}

    @cached_property
    def _jobs(self) -> dict[str, set[str]]:
        """Names of the jobs that left a folder, an output or a manifest, by their folded form."""
        names = set(listing(self._workspace.runs))
        for file in listing(self._workspace.renders):
            output = OutputName.parse(file)
            names.add(output.job if output else file.removesuffix(MANIFEST))
        found: dict[str, set[str]] = {}
        for name in names:
            found.setdefault(folded(name), set()).add(name)
        return found
