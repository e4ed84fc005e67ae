"""What a power cut would leave of: files and names that were brought to the disk, and those not."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from unittest import mock

from jobs.workspace.files import PART

# Renamed without being brought to the disk: how names end, and why.
LESS_CAREFUL = {
    "latest.jpg": "a preview",
    "preview.mp4": "another one",
    ".damaged": "found to be damaged again",
    "job.yaml": "flushed by whoever loads it, before anything rests on it",
}
CUT_BACK = ".rgb.part"  # a batch that loses its name: its frames were brought to the disk long ago


class PowerCut:
    """Below `folder`, while it is entered, every file that is renamed must have been flushed after
    its last write, and its folder must be flushed before anything is deleted or cut, at the latest
    at the end. `wrong` tells where that was not so.
    """

    def __init__(self, folder: Path) -> None:
        self.wrong: list[str] = []
        self.folders_flushed: list[Path] = []
        self._folder = folder
        self._flushed: dict[int, tuple[int, int]] = {}  # by inode
        self._pending: list[Path] = []  # new names whose folders are not flushed yet
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        for name, stand_in in {
            "fsync": self._fsync(os.fsync),
            "sync": self._sync(os.sync),
            "replace": self._rename(os.replace),
            "rename": self._rename(os.rename),
            "unlink": self._lose(os.unlink, "deleted"),
            "truncate": self._lose(os.truncate, "cut"),
        }.items():
            self._patches.enter_context(mock.patch.object(os, name, stand_in))
        return self

    def __exit__(self, *exception: object) -> None:
        self._patches.close()
        self._must_be_settled("the end")

    def outlived_by(self, file: Path) -> bool:
        """Whether the file would be there, with all that was written to it."""
        return self._is_flushed(file) and file.parent in self.folders_flushed

    def _fsync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def call(descriptor: int) -> None:
            real(descriptor)
            facts = os.fstat(descriptor)
            self._flushed[facts.st_ino] = _state(facts)
            if stat.S_ISDIR(facts.st_mode):
                self._pending = [
                    path for path in self._pending if path.parent.stat().st_ino != facts.st_ino
                ]
                self.folders_flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())

        return call

    def _sync(self, real: Callable[[], None]) -> Callable[[], None]:
        def call() -> None:
            real()
            for path in (self._folder, *self._folder.rglob("*")):
                facts = path.stat()
                self._flushed[facts.st_ino] = _state(facts)
            self._pending = []

        return call

    def _rename(self, real: Callable[..., None]) -> Callable[..., None]:
        def call(source: Path, target: Path) -> None:
            source, target = Path(source), Path(target)
            if not self._is_asked_of(target):
                return real(source, target)
            if not self._is_flushed(source) and not target.name.endswith(CUT_BACK):
                self.wrong.append(f"{target.name} was not flushed before it was renamed")
            real(source, target)
            self._pending.append(target)
            return None

        return call

    def _lose(self, real: Callable[..., None], how: str) -> Callable[..., None]:
        def call(path: Path, *arguments: int, **named: int) -> None:
            if how == "cut" or not os.fspath(path).endswith(PART):
                self._must_be_settled(f"{Path(path).name} was {how}")
            real(path, *arguments, **named)

        return call

    def _is_asked_of(self, path: Path) -> bool:
        """Not of names within a folder that has only a temporary one itself."""
        if not path.is_relative_to(self._folder) or path.name.endswith(tuple(LESS_CAREFUL)):
            return False
        return not any(parent.name.endswith(PART) for parent in path.parents)

    def _is_flushed(self, path: Path) -> bool:
        facts = path.stat()
        return self._flushed.get(facts.st_ino) == _state(facts)

    def _must_be_settled(self, when: str) -> None:
        for path in self._pending:
            self.wrong.append(f"the folder of {path.name} was not flushed before {when}")
        self._pending = []


def _state(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_mtime_ns, facts.st_size
