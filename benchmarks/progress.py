"""What a trainer that runs has told of itself."""

from __future__ import annotations

import os

from jobs.workspace.paths import JobPaths
from multitrain.protocol.progress_lines import ProgressLine, parse_line

TAIL_BYTES = 4096  # a line is a tenth of it


def newest(paths: JobPaths) -> ProgressLine | None:
    """The last whole line of its progress; None before there is one."""
    try:
        with paths.progress.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    return next((read for line in reversed(lines) if (read := parse_line(line))), None)
