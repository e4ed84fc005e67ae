"""Jobs that cannot be rendered: a file says why, as soon as the disk has room for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from jobs.errors import FramesLost
from jobs.workspace.failures import Failure, Kind
from jobs.workspace.paths import JobPaths

WRITE_SECONDS = 5.0  # pause before a failure that could not be written is tried again
NEVER_TRIED = float("-inf")

log = logging.getLogger(__name__)


@dataclass
class _Unwritten:
    paths: JobPaths
    failure: Failure
    not_before: float = NEVER_TRIED


class GivenUp:
    """The jobs whose `render_failure.json` has still to be written."""

    def __init__(self) -> None:
        self._unwritten: dict[str, _Unwritten] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._unwritten)

    def add(self, paths: JobPaths, error: BaseException) -> None:
        """Give a job up: logs the reason in one line, and keeps it for `write_down`."""
        reason = " ".join(str(error).split()) or type(error).__name__
        log.error("%s is given up: %s", paths.name, reason)
        kind = Kind.FRAMES_LOST if isinstance(error, FramesLost) else Kind.RENDER
        self._unwritten[paths.name] = _Unwritten(paths, Failure(kind, reason))

    def forget(self, name: str) -> None:
        """Drop what is still to be written of a job, which is taken up anew."""
        self._unwritten.pop(name, None)

    def write_down(self, now: float) -> None:
        """Write the files that are due; `now` in seconds. What cannot be written is kept."""
        for name, each in list(self._unwritten.items()):
            if now < each.not_before:
                continue
            try:
                each.failure.save(each.paths.render_failure)
            except OSError as trouble:
                if each.not_before == NEVER_TRIED:
                    log.warning("%s: that is written down later: %s", name, trouble)
                each.not_before = now + WRITE_SECONDS
            else:
                del self._unwritten[name]
