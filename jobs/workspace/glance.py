"""What can be seen of thousands of job files without parsing them."""

from __future__ import annotations

import re
from typing import NamedTuple

from jobs.reading import read_text
from jobs.workspace.paths import JobPaths

# In the text of a job file; texts of settings that have several lines are indented further. That
# each begins with plain characters, not with "^", makes the search ten times as fast.
_FPS = re.compile(r"\n  fps: (\d{1,3})\n")
_NO_LOOPS = "\n  loops: null\n"
_ONE_FORMAT = re.compile(r"\n  format:\n  - [\w-]+\n(?!  - )")
_NOT_MEASURED = "\n  validation: null\n"
_SILENT = re.compile(r"\n  snapshot: every |\n  first_frame_after: [1-9]")


class Glance(NamedTuple):
    """What can be seen of a job without reading all of its file."""

    fps: int | None = None
    may_have_extras: bool = False  # loops or exports
    has_silent_steps: bool = False  # steps that make no frame
    is_measured: bool = False  # by `validation`


def glance(paths: JobPaths) -> Glance:
    """What the text of a job file shows without parsing it.

    Takes a hundredth of the time of `JobFile.read`, for commands that look at thousands of jobs.
    """
    try:
        text = read_text(paths.job_file)
    except (OSError, ValueError):
        return Glance()
    fps = _FPS.search(text)
    is_plain = _NO_LOOPS in text and _ONE_FORMAT.search(text)
    is_silent = _SILENT.search(text) is not None
    is_measured = "\n  validation:" in text and _NOT_MEASURED not in text
    return Glance(int(fps[1]) if fps else None, not is_plain, is_silent, is_measured)
