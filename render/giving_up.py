"""Jobs that cannot be rendered: told in a file, even where the disk has no room for it yet."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from jobs.failures import Failure, Kind
from jobs.paths import JobPaths

WRITE_SECONDS = 5.0  # pause before a failure that could not be written is tried again
NEVER_TRIED = float("-inf")

log = logging.getLogger(__name__)


@dataclass
class _Unwritten:
    paths: JobPaths
    failure: Failure
    not_before: float = NEVER_TRIED


class GivenUp:
    """Names the jobs whose `render_failure.json` has still to be written."""

    def __init__(self) -> None:
        self._unwritten: dict[str, _Unwritten] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._unwritten)

    def add(self, paths: JobPaths, error: BaseException) -> None:
        """Say in one line why this job cannot be rendered."""
        reason = " ".join(str(error).split()) or type(error).__name__
        log.error("%s is given up: %s", paths.name, reason)
        self._unwritten[paths.name] = _Unwritten(paths, Failure(Kind.RENDER, reason))

    def forget(self, name: str) -> None:
        """The job is taken up anew."""
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
