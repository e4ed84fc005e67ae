"""`preview.mp4`: the newest timecut of a job, small, for people to watch while it trains."""

from __future__ import annotations

import logging
import os

from jobs.errors import MultitrainError
from jobs.workspace.files import part_of
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.encoding import ffmpeg
from render.encoding.commands import preview_command

SECONDS = 20.0  # of the end of a timecut: some are hours long

log = logging.getLogger(__name__)


def show_timecut(paths: JobPaths, job: JobFile, number: int) -> None:
    """Make the preview of timecut `number`, from 1, or its first box, unless a later one is there.

    Its failures are logged and stop nothing: a preview only pleases.
    """
    try:
        _show(paths, job, number)
    except (MultitrainError, OSError) as error:
        log.warning("%s: no preview of timecut %d: %s", paths.name, number, error)


def _show(paths: JobPaths, job: JobFile, number: int) -> None:
    plan = job.plan
    video = paths.timecuts(number, plan)[0]
    part = part_of(paths.preview.with_stem(f"{paths.preview.stem}{number}"))  # others make theirs
    command = preview_command(ffmpeg.find(), video, part, plan.channels, seconds=SECONDS)
    try:
        ffmpeg.run(command, ffmpeg.BATCH_SECONDS)
        is_newest = number == len(plan.cuts) or not paths.timecuts(number + 1, plan)[0].exists()
        if is_newest:
            os.replace(part, paths.preview)  # not flushed: it need not outlive a power cut
    finally:
        part.unlink(missing_ok=True)
