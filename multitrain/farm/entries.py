"""What is done with a job of a sheet that is submitted, and how it goes on."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from jobs.settings.words import start_over
from jobs.workspace.jobfile import JobFile


class Action(enum.Enum):
    """What is done with a job."""

    BEGIN = enum.auto()
    GO_ON = enum.auto()
    START_OVER = enum.auto()  # its film is kept
    LENGTHEN = enum.auto()  # its film is there, and it goes on beyond the end
    REOPEN = enum.auto()  # it is trained; something is to be made of its film, or the film joined
    STAY = enum.auto()  # it is done
    FAIL = enum.auto()  # it is not known how to go on


@dataclass(frozen=True)
class Entry:
    """A job as it will go on, and what is done with it."""

    job: JobFile
    action: Action
    before: JobFile | None = None  # with the settings that it began with, if it has begun
    notes: tuple[str, ...] = ()  # what its user should know, a line each
    refusal: str = ""  # why it cannot go on with the settings of its row
    failure: str = ""
    aside: tuple[Path, ...] = ()  # outputs that new ones will replace
    changed: tuple[Path, ...] = ()  # videos that have changed since they were published; they stay
    film_is_whole: bool = False  # this and the next are about a job that is reopened
    manifest_is_readable: bool = True
    is_new: bool = False  # nothing of it exists: there are no files to look at
    is_held: bool = False  # its user has paused or cancelled it: it stays so


def trains_anew(job: JobFile) -> str:
    """How a user has the job made once more, whatever has become of what it made."""
    return f"{start_over(job.spec.name)} trains it anew"
