"""What can be done for a job before its trainer is called: all that comes before its first step.

Only for CPU cores: there is no GPU that the job will have for certain, and none may be touched
before it is leased.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jobs.jobfile import JobFile
from jobs.paths import JobPaths
from multitrain.datasets.cache import open_pictures
from multitrain.datasets.folders import Fingerprint
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session


@dataclass(frozen=True)
class Rehearsed:
    """A session at step 0, and what it was opened for."""

    job: JobFile
    settings: SessionSettings
    pictures: Fingerprint
    session: Session

    def serves(self, job: JobFile, settings: SessionSettings, pictures: Fingerprint) -> bool:
        """Whether this is what the job wants now that it is called."""
        return (self.job, self.settings, self.pictures) == (job, settings, pictures)


def rehearse(
    job: JobFile, paths: JobPaths, settings: SessionSettings, keep_free: int
) -> Rehearsed | None:
    """Open the job's pictures and networks, and have its step built.

    None where anything fails: the training will meet it again, and tell it.
    """
    size = job.image_width, job.image_height
    try:
        pictures = open_pictures(paths.workspace, job.spec.dataset, *size, keep_free=keep_free)
        session = open_session(job, pictures.images, settings)
        session.warm_up()
    except Exception:
        return None
    return Rehearsed(job, settings, pictures.fingerprint, session)


def first(session: Session, then: Callable[[], Session]) -> Callable[[], Session]:
    """Opens sessions: gives away `session`, which is open already, then those of `then`."""
    ready = [session]
    return lambda: ready.pop() if ready else then()
