"""The lines of `progress.jsonl`, which a trainer writes and the farm reads."""

from __future__ import annotations

from typing import NamedTuple

from jobs.reading import parse_json

MOST = 2**53  # of a number in a line: larger ones were not written here


class ProgressLine(NamedTuple):
    """`step` and `frame` are the counts after a block that was done at `time`."""

    time: float  # unix seconds
    step: int
    frame: int
    walked: int = 0  # frames of walks that were drawn since this try began
    waited: float = 0.0  # seconds that this try has waited for room that others took on the disk


def parse_line(line: bytes) -> ProgressLine | None:
    """The line's content; None for a line that is not whole, damaged, or of another kind."""
    try:
        read = parse_json(line, dict)
    except ValueError:
        return None
    match read:
        case {"time": int() | float() as time, "step": int(step), "frame": int(frame), **others}:
            walked, waited = others.get("walked", 0), others.get("waited", 0.0)
            numbers = ProgressLine(
                time,
                step,
                frame,
                walked if isinstance(walked, int) else 0,
                waited if isinstance(waited, int | float) else 0.0,
            )
            if all(0 <= each <= MOST for each in numbers):
                return numbers
    return None
