"""Jobs that got less than they asked for: another encoder, or not all of their loops."""

from __future__ import annotations

from contextlib import suppress

from jobs.errors import MultitrainError
from jobs.outputs import extras
from multitrain.events import Happening
from multitrain.in_hand import JobInHand
from multitrain.roster import Roster
from render.notes import made_extras


class Shortfalls:
    """To be asked whenever a job's videos have become more."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._told: set[str] = set()

    def look(self, job: JobInHand) -> None:
        if job.file.spec.encoder != "nvenc" or job.name in self._told:
            return
        # Here: it takes a moment, and few ask for NVENC.
        from render.encoders import shortfall, without_nvenc

        with suppress(MultitrainError, OSError):  # its folder is away, or the worker tells of it
            if reason := shortfall(job.paths):
                self._told.add(job.name)
                instead = without_nvenc(job.file)
                told = f"{instead} instead of NVENC: {reason}"
                self._roster.tell(Happening.FELL_SHORT, job, told)

    def not_made(self, job: JobInHand) -> str:
        """What is missing beside the film of a job that is done, for people; empty where all is."""
        spec, paths = job.file.spec, job.paths
        made = made_extras(paths, job.file)
        missing = [
            path.name
            for extra in extras(spec, job.file.plan)
            if extra not in made
            for path in paths.files_of(extra, spec)
        ]
        if not missing:
            return ""
        logs = f"{paths.log} and {paths.workspace.render_log}"
        return f"without {', '.join(missing)}, which were not made (logs: {logs})"
