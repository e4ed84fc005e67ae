"""Decode the pictures of jobs to come.

`python -m multitrain.datasets.cached.ahead WORKSPACE JOB...`

Failures are written to stderr, a line each, and do no harm: the trainer decodes the pictures, and
reports what is wrong with them. The exit code is 0 all the same. May be killed at any time.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.datasets.cached.cache import NotCached, decode_ahead
from render.encoding.ffmpeg import lower_priority

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """The process: job by job; always 0."""
    parser = argparse.ArgumentParser(
        prog="python -m multitrain.datasets.cached.ahead", description=__doc__
    )
    parser.add_argument("workspace", type=Path)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="name of a job in the runs/ there")
    parser.add_argument(
        "--keep-free-bytes", type=int, help="of the disk; default: as for the whole farm"
    )
    parser.add_argument("--lifeline", type=int, help="descriptor of a pipe; its end is the end")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    lower_priority()
    if given.lifeline is not None:
        threading.Thread(target=_hold, args=[given.lifeline], name="lifeline", daemon=True).start()
    for name in given.jobs:
        try:
            _decode(Workspace(given.workspace).job(name), given.keep_free_bytes)
        except (MultitrainError, NotCached, OSError) as error:
            log.warning("%s: %s", name, error)
    return 0


def _hold(lifeline: int) -> None:
    """End the process once the farm is gone."""
    while os.read(lifeline, 1):
        pass
    os._exit(0)


def _decode(paths: JobPaths, keep_free: int | None) -> None:
    job = JobFile.load(paths)
    if job is None:
        raise MultitrainError(f"{paths.job_file} is not there")
    for decoding in job.decodings.values():
        decode_ahead(paths.workspace, *decoding, keep_free=keep_free)


if __name__ == "__main__":
    sys.exit(main())
