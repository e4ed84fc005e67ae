"""Clips that another job's network enlarges: loops that were cut, walks that were drawn.

The clip is made first, without loss, beside the pieces of what is made of it, and stays until all
of them are there: a call that was killed goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from jobs.errors import UsageError
from jobs.settings.videos import VIDEOS, FormatName
from jobs.sheets.enlarging import cannot_enlarge
from jobs.tinkering.earlier_jobs import past_job
from jobs.workspace.paths import Workspace
from multitrain.applying.asked import Asked
from multitrain.applying.planning import VideoPlan
from multitrain.weights.moments import Moments
from render.clips.pieces import LOSSLESS
from render.encoding.formats import Quality
from render.files.digests import is_as_marked
from render.files.film import Film

CLIP = f"clip{VIDEOS[LOSSLESS].suffix}"


@dataclass(frozen=True)
class Enlarging:
    """What enlarges a clip, which then has the format `name`."""

    asked: Asked
    name: FormatName

    @classmethod
    def by(cls, workspace: Workspace, job: str, name: FormatName, *, closed: bool = True) -> Self:
        """By the newest network of this job; a clip that is `closed` is a loop, and stays one.

        UsageError where there is no such job, or it enlarges nothing.
        """
        return cls(enlarger(workspace, job, closed=closed), name)

    @cached_property
    def moments(self) -> tuple[Moments, ...]:
        """As of `Asked`."""
        return self.asked.moments()

    def note(self, sources: Sequence[Path], *facts: object) -> str:
        """For the file that is made; the clip is made of the `sources`, as the `facts` say."""
        return self.asked.note_of(sources, self.moments, *facts)

    def plan(
        self, make_clip: Callable[[Path], None], note: str, quality: Quality | None = None
    ) -> VideoPlan:
        """What is to be made of the clip, which is made before, unless it is there already.

        Raises what `make_clip` does; UsageError where the clip is too small.
        """
        folder = self.asked.pieces_of(note)
        clip = folder / CLIP
        if not clip.is_file() or not is_as_marked(clip):
            make_clip(clip)
        film = Film.look(clip, with_sound=True)
        course = self.asked.course(self.moments, film.frames)
        return VideoPlan.of(self.asked, course, film, self.name, folder, quality)


def enlarger(workspace: Workspace, job: str, *, closed: bool) -> Asked:
    """How the newest network of this job enlarges films, which are loops where they are `closed`.

    UsageError where there is no such job, or it enlarges nothing.
    """
    asked = Asked(workspace, past_job(workspace, job))
    if reason := cannot_enlarge(asked.job.spec):
        raise UsageError(reason)
    return Asked(workspace, asked.job, closed=closed and asked.remembers)
