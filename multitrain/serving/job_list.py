"""The jobs as a table of pages: found by state and by text, each with what the page shows of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jobs.secrets import hidden
from jobs.workspace.paths import JobPaths
from jobs.workspace.states import State
from jobs.workspace.store import JobRow
from multitrain.serving.media import media_of, version_at
from multitrain.serving.night import Night

MOST_ROWS = 200  # of a page
MOST_TEXT = 200  # letters that are searched for

# In which order the states stand in the table.
RANKS = {
    state: rank
    for rank, state in enumerate(
        (
            *(State.RUNNING, State.RENDERING, State.QUEUED, State.PAUSED),
            *(State.FAILED, State.CANCELLED, State.DONE),
        )
    )
}


def page_of(
    night: Night,
    *,
    states: Collection[str] = (),
    text: str = "",
    only: Collection[str] | None = None,
    newest: bool = False,
    start: int = 0,
    count: int = MOST_ROWS,
) -> dict[str, Any]:
    """The jobs from `start` on, at most `count`, and how many there are in all.

    `states` and `text`, a part of their names, say which; none: all. `only` are names. With
    `newest`, the last film comes first; else what is at work, then the queue in its order.
    """
    wanted = text.casefold()
    found = [
        row
        for row in night.jobs().rows
        if (not states or row.state in states)
        and (only is None or row.name in only)
        and (not wanted or wanted in row.name.casefold() or wanted in row.error.casefold())
    ]
    if newest:
        found.sort(key=night.done_at, reverse=True)
    else:
        found.sort(key=lambda row: (RANKS[row.state], -row.priority))  # else as submitted
    shown = found[start : start + count]
    return {"jobs": [card(night, row) for row in shown], "total": len(found), "start": start}


def card(night: Night, row: JobRow) -> dict[str, Any]:
    """What a tile or a line of the table shows of a job."""
    paths, farm = night.workspace.job(row.name), night.farm()
    left = farm.jobs.get(row.name)
    waits = row.state is State.QUEUED
    return {
        **{key: value for key, value in vars(row).items() if key != "error"},
        "error": hidden(row.error),
        "waits_for": hidden(farm.why_waits(row.name)) if waits else "",
        "is_stopping": row.name in farm.stopping,
        "seconds_left": left.seconds if left else None,
        "seconds_left_spread": left.spread if left else None,
        "latest": version_at(paths.latest),
        "preview": version_at(paths.preview),
        **_outputs(night, paths),
    }


def _outputs(night: Night, paths: JobPaths) -> dict[str, Any]:
    """How many timecuts, loops and exports there are; the versions of film and poster."""
    counts = {"timecut": 0, "loop": 0, "export": 0}
    versions = {"film": "", "poster": "", "contact": ""}
    boxes: set[int] = set()
    for each in media_of(night, paths):
        if each.kind == "film":
            boxes.add(each.box)
        if each.box > 1:
            continue
        if each.kind in counts:
            counts[each.kind] += 1
        else:
            versions[each.kind] = version_at(each.path)
    return {
        "timecuts": counts["timecut"],
        "loops": counts["loop"],
        "exports": counts["export"],
        "boxes": max(boxes, default=0),
        **versions,
    }
