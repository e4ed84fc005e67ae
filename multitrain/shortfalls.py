"""Jobs that are not encoded as they asked for: told of once each."""

from __future__ import annotations

from contextlib import suppress

from jobs.errors import MultitrainError
from multitrain.events import Happening
from multitrain.in_hand import JobInHand
from multitrain.roster import Roster


class Shortfalls:
    """To be asked whenever a job's videos have become more."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._told: set[str] = set()

    def look(self, job: JobInHand) -> None:
        if job.file.spec.encoder != "nvenc" or job.name in self._told:
            return
        from render.encoders import shortfall  # here: it takes a moment, and few ask for NVENC

        with suppress(MultitrainError, OSError):  # its folder is away, or the worker tells of it
            if reason := shortfall(job.paths):
                self._told.add(job.name)
                self._roster.tell(Happening.FELL_SHORT, job, f"x264 instead of NVENC: {reason}")
