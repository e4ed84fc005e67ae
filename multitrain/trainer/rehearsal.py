"""What can be done for a job before its trainer is called: all that comes before its first step.

Only for CPU cores: there is no GPU that the job will have for certain, and none may be touched
before it is leased. What the job starts from, which may still be in training, is not read here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.datasets.cached.cache import NotCached, decode_ahead
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session
from multitrain.trainer.feeds import Fingerprints, open_job_pictures

UNSHARED_BYTES = 64 * 2**20  # of pictures, that may lie in memory twice


@dataclass
class Rehearsed:
    """A session at step 0, and what it was opened for."""

    job: JobFile
    settings: SessionSettings
    pictures: Fingerprints
    session: Session | None  # None once it is given away

    def serves(self, job: JobFile, settings: SessionSettings, pictures: Fingerprints) -> bool:
        """Whether this is what the job wants now that it is called."""
        return (self.job, self.settings, self.pictures) == (job, settings, pictures)

    def give_away(self) -> Session | None:
        """The session, at the first call."""
        session, self.session = self.session, None
        return session


def rehearse(
    job: JobFile, paths: JobPaths, settings: SessionSettings, keep_free: int
) -> Rehearsed | None:
    """Open the job's pictures and networks, and have its step built.

    None where anything fails: the training will meet the error again, and report it. None also of
    pictures that come live, and where many pictures cannot come from the cache: each process that
    opens them needs memory for its own.
    """
    if any(feed.is_live for feed in job.feeds):
        return None
    try:
        are_shared = _are_shared(job, paths.workspace, keep_free)
        pictures = open_job_pictures(job, paths.workspace, keep_free=keep_free)
        if not are_shared and pictures.byte_count > UNSHARED_BYTES:
            return None
        session = open_session(job, pictures.feeds, settings)
        session.warm_up()
        if not pictures.are_intact():
            return None
    except Exception:
        return None
    return Rehearsed(job, settings, pictures.fingerprints, session)


def _are_shared(job: JobFile, workspace: Workspace, keep_free: int) -> bool:
    try:
        for decoding in job.decodings.values():
            decode_ahead(workspace, *decoding, keep_free=keep_free)
    except NotCached:
        return False
    return True


def opening_with(rehearsed: Rehearsed, then: Callable[[], Session]) -> Callable[[], Session]:
    """A function that opens sessions: the first is the one that is open already, then `then()`."""
    return lambda: rehearsed.give_away() or then()
