"""A request that is read over several ticks: a sheet may have thousands of jobs.

Reading changes nothing, so a kill meanwhile costs nothing: the request is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from jobs.workspace import requests
from jobs.workspace.requests import Request


class Intake:
    """A request in its file, and what has been read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.request: Request | None = None  # also where its file is gone
        self._steps = self._read()

    def go_on(self, may_go_on: Callable[[], bool]) -> bool:
        """Read on, asking now and then whether there is time for more; whether all is read.

        ValueError where it is no request, OSError where it cannot be read.
        """
        return all(may_go_on() for _ in self._steps)

    def _read(self) -> Iterator[None]:
        request = yield from requests.reading(self.path)
        for number, job in enumerate(request.jobs if request else (), 1):
            job.work_out()
            if number % requests.READ_AT_ONCE == 0:
                yield
        self.request = request
