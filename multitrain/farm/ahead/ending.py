"""Processes that were killed, until they are gone: nobody else asks whether they are."""

from __future__ import annotations

from multitrain.executors import Process

LINGER_SECONDS = 5.0  # after which a process that a driver or a disk holds is given up


class Ending:
    """Remembers killed processes until they are gone; `now` is seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._processes: list[tuple[Process, float]] = []

    def add(self, process: Process, now: float) -> None:
        """This one was killed just now."""
        self._processes.append((process, now))

    def is_over(self, now: float) -> bool:
        """Whether all are gone, or were given up."""
        self._processes = [
            (process, since)
            for process, since in self._processes
            if process.poll() is None and now < since + LINGER_SECONDS
        ]
        return not self._processes
