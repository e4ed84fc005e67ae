"""Jobs that got less than they asked for: another encoder, or not all of their loops."""

from __future__ import annotations

from contextlib import suppress

from jobs.errors import MultitrainError
from jobs.workspace.outputs import extras
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.events import Happening
from multitrain.farm.job_table import JobTable
from render.spool.notes import made_extras


class Shortfalls:
    """Asked whenever a job has more videos than before."""

    def __init__(self, table: JobTable) -> None:
        self._table = table
        self._reported: set[str] = set()

    def look(self, job: ActiveJob) -> None:
        if job.file.spec.encoder != "nvenc" or job.name in self._reported:
            return
        # Imported here: it takes a moment, and few ask for NVENC.
        from render.films.encoders import shortfall, without_nvenc

        with suppress(MultitrainError, OSError):  # its folder is away, or the worker reports it
            if reason := shortfall(job.paths):
                self._reported.add(job.name)
                instead = without_nvenc(job.file)
                message = f"{instead} instead of NVENC: {reason}"
                self._table.tell(Happening.FELL_SHORT, job, message)

    def not_made(self, job: ActiveJob) -> str:
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
