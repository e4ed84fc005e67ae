"""What of the jobs of a sheet has not arrived where it is to go."""

from __future__ import annotations

from contextlib import suppress

from jobs.jobfile import JobFile
from jobs.paths import JobPaths
from render.delivery.targets import targets_of, unsent
from render.notes import outputs_of


def unsent_files(paths: JobPaths, job: JobFile) -> list[str]:
    """Names of files that are to be sent and were not; none where nobody can tell now."""
    if targets_of(job.spec):
        with suppress(OSError):  # somebody moves them at this moment: they are no files of ours
            return unsent(paths, job.spec, outputs_of(paths, job))
    return []
