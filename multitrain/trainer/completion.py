"""Whether a job needs no more training."""

from __future__ import annotations

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.trainer.progress import ProgressLog
from render.spool.spool import rewind


def make_complete(job: JobFile, paths: JobPaths) -> bool:
    """Whether every frame was made; `progress.jsonl` then says so, whatever was lost of it."""
    if not _is_complete(job, paths):
        return False
    ProgressLog(paths).tell_complete(job.plan.steps_total, job.plan.frames_total)
    return True


def _is_complete(job: JobFile, paths: JobPaths) -> bool:
    """Raises MultitrainError where frames that were made have been lost since."""
    total = job.plan.frames_total
    if paths.manifest.exists():
        return True
    covered = any(name.frame >= total for name in paths.checkpoint_names())
    if job.spec.use_checkpoints and not covered:
        return False
    # Without checkpoints a job starts over, unless all its frames are there.
    return rewind(paths, job.plan, total if covered else 0) == total
