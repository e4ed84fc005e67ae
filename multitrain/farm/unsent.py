"""Files of the jobs of a sheet that have not arrived at their destinations."""

from __future__ import annotations

from contextlib import suppress

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.delivery.targets import targets_of, unsent
from render.spool.notes import outputs_of


def unsent_files(paths: JobPaths, job: JobFile) -> list[str]:
    """Names of files that are still to be sent; none where that cannot be known now."""
    if targets_of(job.spec):
        with suppress(OSError):  # somebody moves files just now
            return unsent(paths, job.spec, outputs_of(paths, job))
    return []
