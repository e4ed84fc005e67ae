"""The folders that sheets name: whether they are there and what pictures they hold."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from jobs.paths import Workspace
from jobs.pictures import (
    DEMO,
    Survey,
    demo_is_built_in,
    describe_odd,
    describe_unreadable,
    survey,
)
from jobs.words import nearest

_NOTHING = Survey(None, 0)


@dataclass(frozen=True)
class Found:
    """What the folders of a job hold, and why it cannot be trained with, if so."""

    survey: Survey
    reason: str | None = None


class DatasetFolders:
    """Looks at each set of folders once, however many jobs name it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._found: dict[tuple[str, ...], Found] = {}

    def look_at(self, folders: tuple[str, ...]) -> Found:
        if folders not in self._found:
            self._found[folders] = self._look(folders)
        return self._found[folders]

    def warnings(self) -> Iterator[str]:
        """A sentence for each set of folders that can be used, but not all of it."""
        for folders, found in self._found.items():
            unreadable = found.survey.unreadable
            if unreadable and found.reason is None:
                told = describe_unreadable(unreadable, self._workspace.data)
                count = "1 file is" if len(unreadable) == 1 else f"{len(unreadable)} files are"
                yield f"dataset {','.join(folders)}: {count} left out: {told}"

    def _look(self, folders: tuple[str, ...]) -> Found:
        paths: dict[Path, None] = {}
        with_demo = False
        for folder in folders:
            path = self._workspace.dataset(folder)
            if PurePath(folder) == PurePath(DEMO) and demo_is_built_in(path):
                with_demo = True
            elif reason := self._misplaced(folder):
                return Found(_NOTHING, reason)
            else:
                paths[path] = None
        found = survey(list(paths), with_demo=with_demo)
        return Found(found, self._unusable(found))

    def _misplaced(self, folder: str) -> str | None:
        pure = PurePath(folder)
        if pure.is_absolute() or ".." in pure.parts:
            return f"{folder!r} must be a folder under data/, named without '..' or a leading '/'"
        try:
            mode = self._workspace.dataset(folder).stat().st_mode
        except (OSError, ValueError):  # ValueError: a name that holds a NUL
            return f"there is no folder {folder!r} in data/{self._nearest(pure)}"
        if not stat.S_ISDIR(mode):
            return f"{folder!r} is a file; name the folder that holds the pictures"
        return None

    def _nearest(self, folder: PurePath) -> str:
        """A suggestion among the folders beside the one that is missing."""
        parent = self._workspace.data / folder.parent
        try:
            beside = [each.name for each in os.scandir(parent) if each.is_dir()]
        except OSError:
            beside = []
        names = {str(folder.parent / name) for name in beside if name[0] != "."} | {DEMO}
        return nearest(str(folder), sorted(names))

    def _unusable(self, found: Survey) -> str | None:
        root = self._workspace.data
        if found.size is None and found.unreadable:
            told = describe_unreadable(found.unreadable, root)
            return f"holds no picture that can be read: {told}"
        if found.size is None:
            return "holds no pictures (jpg, jpeg, png, webp, bmp, tif)"
        if found.odd:
            return (
                f"all pictures must have one size: {found.count} are {found.size}, "
                f"but {describe_odd(found.odd, root)}"
            )
        return None
