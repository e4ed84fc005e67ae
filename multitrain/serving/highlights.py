"""The moments of films that are most worth seeing: read where they are kept, else looked for once.

The render worker leaves them when a film is done. Those of films that have none are found by
`multitrain moments`, one film after another, at low priority and only when somebody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from jobs.families.table import family_of
from jobs.secrets import hidden
from jobs.workspace.jobfile import JobFile
from jobs.workspace.moments import read_shortlist
from jobs.workspace.paths import JobPaths
from jobs.workspace.store import JobRow
from multitrain.serving.job_facts import job_of
from multitrain.serving.media import media_of, version_at
from multitrain.serving.night import Night
from multitrain.serving.programs import Programs

SECONDS = 3600.0  # for one film; one of hours in 8K takes minutes
MOST_WAITING = 200  # films that are looked through one after another
NEAR = 0.05  # of the training: weights so far from a moment's step still draw what is seen there


class Highlights:
    """The shortlists of a workspace's films, and those that are being looked for."""

    def __init__(self, night: Night, programs: Programs) -> None:
        """`programs` are run one at a time."""
        self._night, self._programs = night, programs
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._troubles: dict[tuple[str, str], str] = {}  # by job and version of its film

    def of(self, row: JobRow) -> dict[str, Any]:
        """What the page is told: moments in their order in the film, None where none are kept."""
        paths = self._night.workspace.job(row.name)
        film = film_of(self._night, paths)
        kept = read_shortlist(paths, film) if film else None
        job, _ = job_of(self._night, paths)
        steps = weights_of(paths, job) if job and kept else []
        told = {
            "film": version_at(film) if film else "",
            "is_looking": kept is None and row.name in self._looking,
            "trouble": self._troubles.get((row.name, version_at(film)), "") if film else "",
            "moments": None,
        }
        if kept:
            best = kept.moments[0].frame if kept.moments else None
            told["moments"] = [
                {
                    **each.model_dump(),
                    "is_best": each.frame == best,
                    "version": version_at(paths.still(each.frame)),
                    "walk_step": step_near(each.frame, job, steps),
                }
                for each in sorted(kept.moments, key=lambda each: each.frame)
            ]
        return told

    def look(self, row: JobRow) -> bool:
        """Have them looked for, unless they are there or cannot be found; whether they are now."""
        paths = self._night.workspace.job(row.name)
        film = film_of(self._night, paths)
        if film is None or (row.name, version_at(film)) in self._troubles:
            return False
        if read_shortlist(paths, film):
            return False
        if row.name in self._looking or len(self._looking) >= MOST_WAITING:
            return row.name in self._looking
        self._looking[row.name] = asyncio.create_task(self._find(row.name, version_at(film)))
        return True

    async def _find(self, name: str, version: str) -> None:
        try:
            place = ("--workspace", str(self._night.workspace.root))
            said = await self._programs.run(["moments", *place, "--", name], SECONDS, is_low=True)
            if said.code:
                if len(self._troubles) >= MOST_WAITING:
                    self._troubles.clear()
                why = said.err.strip().splitlines() or ["they could not be found"]
                self._troubles[name, version] = hidden(why[-1])
        finally:
            del self._looking[name]


def film_of(night: Night, paths: JobPaths) -> Path | None:
    """A job's film, or that of its first box; None where it is not there."""
    films = [each for each in media_of(night, paths) if each.kind == "film" and each.box <= 1]
    return films[0].path if films else None


def weights_of(paths: JobPaths, job: JobFile) -> list[int]:
    """Steps of a training whose weights are there and draw; in their order."""
    if not family_of(job.spec).sampler:
        return []
    with suppress(OSError):
        newest = [name.step for name in paths.checkpoint_names()]
        return sorted({*paths.kept_steps(), *newest})
    return []


def step_near(frame: int, job: JobFile | None, steps: Sequence[int]) -> int | None:
    """The step with weights that is nearest to the one that made a frame; None: none is near."""
    if job is None or not steps or frame >= job.frames_total:
        return None
    wanted = job.plan.step_of(frame)
    nearest = min(steps, key=lambda step: abs(step - wanted))
    return nearest if abs(nearest - wanted) <= NEAR * job.plan.steps_total else None
