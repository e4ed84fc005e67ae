"""The columns of the table, as text and for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.tinkering.differences import differing, in_cell, settings, unusual
from jobs.units import duration
from jobs.workspace.paths import Workspace
from multitrain.commands.table.results import TIME, Result, measures_of

MOST_SETTINGS = 8  # with a column each: of more, a row tells what is unusual of it

NAME, STATE, TRAINED, SETTINGS, AT_STEP = "job", "state", "trained", "settings", "at step"
FILM, APPLIED = "film", "applied"
DECIMALS = {"psnr": 2, "bytes": 0, "ratio": 1}  # of dB, bytes, times; other measures are below 1

Cells = dict[str, list[str]]


def cells(place: Workspace, found: Sequence[Result], by: str) -> Cells:
    """The texts of all rows, by column; columns that say nothing of any job are left out."""
    measures = measures_of(found)
    fixed = {
        NAME: [each.name for each in found],
        STATE: ["" if each.state == "done" else each.state for each in found],
        TRAINED: [_trained(each) for each in found],
        TIME: [duration(each.seconds) if each.seconds else "" for each in found],
        **{name: [measure(each, name, by) for each in found] for name in measures},
        AT_STEP: _steps_of_measures(found),
        FILM: [_told(place, each.videos.films, most=1) for each in found],
        APPLIED: [_told(place, each.videos.applied) for each in found],
    }
    every = {NAME: fixed.pop(NAME), **_settings(found), **fixed}
    return {name: column for name, column in every.items() if any(column)}


def figures(found: Sequence[Result]) -> set[str]:
    """The columns of numbers, which stand one below the other."""
    return {TRAINED, TIME, AT_STEP, *measures_of(found)}


def measure(result: Result, name: str, by: str) -> str:
    """A measure for people; where the rows are ordered by it, also why there is none."""
    values = result.measured.values if result.measured else {}
    if name not in values:
        return result.why_not_measured if name == by else ""
    return f"{values[name]:.{DECIMALS.get(name.partition('_')[0], 4)}f}"


def as_csv(cells: Mapping[str, Sequence[str]]) -> str:
    """A sheet of these columns, with their names above."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([[*cells], *zip(*cells.values(), strict=True)])
    return text.getvalue()


def for_machines(found: Sequence[Result]) -> list[dict[str, Any]]:
    """The rows for `--json`. Fields keep their names: other programs read them."""
    columns = differing([each.spec for each in found])
    return [
        {
            "name": each.name,
            "family": each.spec.family,
            "state": each.state or None,
            "settings": settings(each.spec, columns),
            "steps_done": each.step,
            "steps_total": each.steps_total,
            "seconds": round(each.seconds, 1) or None,
            "measured": each.measured and each.measured.for_machines,
            "is_best": each.is_best,
            "films": [str(file) for file in each.videos.films],
            "applied": [str(file) for file in each.videos.applied],
        }
        for each in found
    ]


def _settings(found: Sequence[Result]) -> Cells:
    columns = differing([each.spec for each in found])
    rows = [
        {name: in_cell(value) for name, value in settings(each.spec, columns).items()}
        for each in found
    ]
    if len(columns) <= MOST_SETTINGS:
        return {column: [row.get(column, "") for row in rows] for column in columns}
    told = [
        ", ".join(f"{name} {text or 'empty'}" for name, text in row.items())
        for row in unusual(rows)
    ]
    return {SETTINGS: told}


def _steps_of_measures(found: Sequence[Result]) -> list[str]:
    """Empty where all were measured at their ends."""
    if all(each.measured is None or each.measured.step == each.step for each in found):
        return [""] * len(found)
    return [str(each.measured.step) if each.measured else "" for each in found]


def _trained(result: Result) -> str:
    if result.step >= result.steps_total:
        return str(result.step)
    return f"{result.step}/{result.steps_total}"


def _told(place: Workspace, files: Sequence[Path], most: int | None = None) -> str:
    """Their paths in the workspace; of more than `most`, how many more."""
    shown = [str(file.relative_to(place.root)) for file in files[:most]]
    more = len(files) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
