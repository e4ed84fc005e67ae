"""What networks were measured at while they trained, as `progress.jsonl` tells it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jobs.reading import parse_json, read_json
from jobs.workspace.paths import JobPaths

MEASURES = "measures"  # the key in a line
LESS_IS_BETTER = frozenset({"bytes"})  # of other measures, more is
_MARK = f'"{MEASURES}"'.encode()


class Measures(NamedTuple):
    """What networks came to at a step, by name."""

    step: int
    values: dict[str, float]

    @property
    def for_machines(self) -> dict[str, float]:
        return {"step": self.step, **self.values}


def measures_in(lines: Iterable[bytes]) -> Iterator[Measures]:
    """Those that these lines tell of; most tell of none."""
    for line in lines:
        if _MARK not in line:
            continue
        try:
            read = parse_json(line, dict)
        except ValueError:
            continue
        match read:
            case {"step": int(step), "measures": dict(values)}:
                yield Measures(step, _numbers(values))


def _numbers(values: Mapping[Any, object]) -> dict[str, float]:
    numbers = {name: each for name, each in values.items() if isinstance(each, int | float)}
    return {str(name): float(value) for name, value in numbers.items()}


def all_measures(progress: Path) -> list[Measures]:
    """Those of a progress file, in their order; none where there is no file."""
    try:
        with progress.open("rb") as lines:
            return [*measures_in(lines)]
    except FileNotFoundError:
        return []


def last_measures(progress: Path) -> Measures | None:
    """The newest of a progress file; None where nothing was measured, or there is no file."""
    return next(reversed(all_measures(progress)), None)


class Told(NamedTuple):
    """What is told of a job that is measured: the newest, and that of the best weights."""

    last: Measures | None = None
    best: Measures | None = None


def told_of(paths: JobPaths) -> Told:
    """What a job's networks come to; of the best weights without values, where the progress file
    does not tell them any more.
    """
    measured, kept = all_measures(paths.progress), paths.best_steps()
    if not kept:
        return Told(measured[-1] if measured else None)
    best = {each.step: each for each in measured}.get(kept[-1], Measures(kept[-1], {}))
    return Told(measured[-1] if measured else None, best)


def told_in_manifest(manifest: Path) -> Told:
    """What a job's networks came to, as its manifest has it: for jobs whose run folder is gone.

    Nothing where there is no manifest that tells of it.
    """
    try:
        read = read_json(manifest, dict)
    except (OSError, ValueError):
        return Told()
    return Told(_of_manifest(read.get("measured")), _of_manifest(read.get("best")))


def _of_manifest(told: object) -> Measures | None:
    match told:
        case {"step": int(step), **values}:
            return Measures(step, _numbers(values))
    return None


def best_of(measured: Iterable[Measures], by: str) -> Measures | None:
    """The one with the highest measure `by`, of several the first; None where none has a finite
    one.
    """
    finite = [each for each in measured if math.isfinite(each.values.get(by, math.nan))]
    return max(finite, key=lambda each: each.values[by], default=None)
