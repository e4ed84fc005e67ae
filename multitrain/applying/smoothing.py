"""Loops with frames between the moments of their film, by the network of another job.

The loop of these moments alone, each once, is made first, without loss, as for what is enlarged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Self

from jobs.errors import UsageError
from jobs.families.table import family_of
from jobs.settings.videos import FormatName
from jobs.settings.words import with_article
from jobs.tinkering.earlier_jobs import past_job
from jobs.workspace.paths import Workspace
from multitrain.applying.asked import Asked
from multitrain.applying.enlarging import CLIP
from multitrain.applying.planning import VideoPlan
from multitrain.weights.moments import Moments
from render.clips.looping import Planned
from render.files.digests import is_as_marked
from render.files.film import Film


class Smoothing(NamedTuple):
    """The network of an inbetween, and its newest weights."""

    asked: Asked
    moments: tuple[Moments, ...]

    @classmethod
    def by(cls, workspace: Workspace, name: str) -> Self:
        """UsageError where this job makes no frames between frames, or has not learnt to."""
        job = past_job(workspace, name)
        application = family_of(job.spec).application
        if application is None or not application.is_between:
            raise UsageError(
                f"{name} is {with_article(job.spec.family)}; --smooth takes an inbetween, which "
                "makes the frames between others, or no job at all"
            )
        asked = Asked(workspace, job, closed=True)
        return cls(asked, asked.moments())

    def note(self, sources: Sequence[Path], *facts: object) -> str:
        """For the file that is made; the loop is made of the `sources`, as the `facts` say."""
        return self.asked.note_of(sources, self.moments, *facts)

    def plan(
        self,
        make_clip: Callable[[Path, Planned], None],
        planned: Planned,
        name: FormatName,
        note: str,
    ) -> VideoPlan:
        """What is to be made of the moments of the loop, which are made before, unless they are
        there already.

        Raises what `make_clip` does; UsageError where the loop is too small.
        """
        cycle, folder = planned.cycle, self.asked.pieces_of(note)
        clip = folder / CLIP
        if not clip.is_file() or not is_as_marked(clip):
            make_clip(clip, planned._replace(cycle=replace(cycle, frames=cycle.moments)))
        course = self.asked.course(self.moments, cycle.frames)
        return VideoPlan.of_loop(self.asked, course, Film.look(clip), name, folder, cycle.fps)
