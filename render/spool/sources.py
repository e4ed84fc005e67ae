"""Files that a rewind may take away while something is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.workspace.paths import JobPaths
from render.spool.spool import locked


class Rewound(Exception):
    """The trainer went back meanwhile: what was being made shows frames that count no more."""


@dataclass(frozen=True)
class FileState:
    """Identifies a file and its state: equal while it is the same file, unchanged."""

    inode: int
    size: int
    changed: int  # nanoseconds

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """The state of a file; None where there is none."""
        try:
            facts = path.stat()
        except FileNotFoundError:
            return None
        return cls(facts.st_ino, facts.st_size, facts.st_mtime_ns)


class Sources:
    """Files as they were when the work on them began."""

    def __init__(self, paths: JobPaths, files: Sequence[Path]) -> None:
        self._paths = paths
        self._files = tuple(files)
        self._before = tuple(map(FileState.of, self._files))

    def check(self) -> None:
        """Raises Rewound unless every file is there and as it was."""
        if None in self._before or self._before != tuple(map(FileState.of, self._files)):
            raise Rewound(self._files[0].name)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps a rewind out while the result gets its name. Raises Rewound if one came before."""
        self.check()
        with locked(self._paths):
            self.check()
            yield


@contextmanager
def unchanged(paths: JobPaths, files: Sequence[Path]) -> Iterator[Sources]:
    """For work on `files`: an error that a rewind has caused becomes Rewound."""
    sources = Sources(paths, files)
    sources.check()
    try:
        yield sources
    except (MultitrainError, OSError):
        sources.check()
        raise
