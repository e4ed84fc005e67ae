"""`runs/<job>/moments/`: the moments of a film that are most worth seeing, and a still of each.

Found once, by whoever comes first (`render.films.moments`), and kept: for the page to show, and for
`multitrain moments`. What is there may be deleted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, NonNegativeInt

from jobs.reading import read_json
from jobs.workspace.files import write_text
from jobs.workspace.paths import JobPaths

MOST = 6  # moments of a film

Share = Annotated[float, Ge(0), Le(1e6)]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)  # a later version may keep more


class Moment(_Kept):
    """A moment of a film; `motion` and `novelty` are shares of the pictures' own contrast."""

    frame: NonNegativeInt
    seconds: Annotated[float, Ge(0), Le(1e9)]
    motion: Share  # how much the picture changes within a quarter of a second
    novelty: Share  # how much it differs from those before it in the list


class Shortlist(_Kept):
    """The moments of one film, the best first; `bytes` and `modified` tell the film from others."""

    film: str
    bytes: NonNegativeInt
    modified: NonNegativeInt  # nanoseconds
    moments: tuple[Moment, ...] = ()


def state_of(film: Path) -> dict[str, str | int]:
    """What tells this film from a later one in its place. OSError where it is not there."""
    facts = film.stat()
    return {"film": film.name, "bytes": facts.st_size, "modified": facts.st_mtime_ns}


def read_shortlist(paths: JobPaths, film: Path) -> Shortlist | None:
    """The moments of this film; None where none are kept, or they are another film's.

    A damaged file is as good as none: they are found again.
    """
    try:
        kept = Shortlist.model_validate(read_json(paths.shortlist, dict))
        wanted = state_of(film)
    except (OSError, ValueError):
        return None
    if kept.model_dump(include={*wanted}) != wanted:
        return None
    return kept if all(paths.still(each.frame).exists() for each in kept.moments) else None


def write_shortlist(paths: JobPaths, shortlist: Shortlist) -> None:
    """Keep it, once its stills are there. OSError where that is impossible."""
    write_text(paths.shortlist, shortlist.model_dump_json(indent=1) + "\n")
