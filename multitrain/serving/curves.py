"""The curves of a job, as few points as a screen can show, however long its training is."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jobs.reading import DamagedText, parse_json
from jobs.workspace.measures import measures_in

POINTS = 600
WHOLE_BYTES = 2 * 2**20  # a file of so many is read from end to end
LINE_BYTES = 4096  # lines are shorter
MOST_CURVES = 32


def curves(path: Path, points: int = POINTS) -> dict[str, Any]:
    """Steps, and the value of each loss there, by name: None where a line has none.

    Of a long file, lines at even distances are read.
    """
    steps: list[int] = []
    losses: dict[str, list[float | None]] = {}
    for line in _lines(path, points):
        match _parsed(line):
            case {"step": int(step), "losses": dict(values)} if not steps or step > steps[-1]:
                numbers = {
                    str(name): float(value)
                    for name, value in values.items()
                    if isinstance(value, int | float) and math.isfinite(value)
                }
                if not numbers:
                    continue
                for name in list(numbers)[:MOST_CURVES]:
                    if name not in losses and len(losses) < MOST_CURVES:
                        losses[name] = [None] * len(steps)
                steps.append(step)
                for name, curve in losses.items():
                    curve.append(numbers.get(name))
    return {"steps": steps, "losses": losses}


def measured(path: Path, points: int = POINTS) -> list[dict[str, Any]]:
    """What networks were measured at, as `curves` has losses: together what has one unit.

    `psnr_bicubic` stands beside `psnr`.
    """
    try:
        with path.open("rb") as file:
            every = [each for each in measures_in(file) if each.values]
    except OSError:
        return []
    some = every[:: max(1, len(every) // points)]
    if every and some[-1] is not every[-1]:
        some.append(every[-1])
    names = dict.fromkeys(name for each in some for name in each.values)
    kinds = dict.fromkeys(name.partition("_")[0] for name in names)
    return [
        {
            "steps": [each.step for each in some],
            "losses": {
                name: [each.values.get(name) for each in some]
                for name in names
                if name.partition("_")[0] == kind
            },
        }
        for kind in kinds
    ]


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        return parse_json(line, dict)
    except DamagedText:
        return {}


def _lines(path: Path, points: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= WHOLE_BYTES:
                lines = file.read(WHOLE_BYTES).split(b"\n")[:-1]
                stride = max(1, len(lines) // points)
                last = lines[-1:]
                yield from [*lines[:-1:stride], *last]
                return
            for number in range(points):
                file.seek(size * number // points)
                chunk = file.read(2 * LINE_BYTES)
                pieces = chunk.split(b"\n")
                if len(pieces) > 2:
                    yield pieces[1]
            file.seek(max(0, size - 2 * LINE_BYTES))
            yield from file.read().split(b"\n")[-2:-1]
    except OSError:  # it has not begun, or its disk is away
        return
