"""The steps of `multitrain quick`, as commands; and what stands in their way. Nothing is done."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

from jobs.secrets import hidden
from jobs.settings.kinds import Resolution
from multitrain.commands.options import ALL_GPUS
from multitrain.commands.quick.given import Given, Kind
from multitrain.commands.quick.wishes import Earlier, Wishes, one_line
from multitrain.datasets.made.sources import address_told


class Step(NamedTuple):
    """A command: the words behind `multitrain`."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        """As people type it; without logins and keys of addresses."""
        return hidden(shlex.join(["multitrain", *self.words]))


class Beside(NamedTuple):
    """Options that do not change what a sheet says; they are handed on to the commands."""

    gpus: str = ALL_GPUS
    workspace: str = ""  # where it is not the current folder
    deterministic: bool = False

    @property
    def place(self) -> tuple[str, ...]:
        return ("--workspace", self.workspace) if self.workspace else ()

    @property
    def device(self) -> tuple[str, ...]:
        return ("--gpus", self.gpus) if self.gpus != ALL_GPUS else ()

    @property
    def exact(self) -> tuple[str, ...]:
        return ("--deterministic",) if self.deterministic else ()


class Steps(NamedTuple):
    """What is to be done for one film."""

    given: Given
    wishes: Wishes
    beside: Beside = Beside()

    @property
    def sheet(self) -> str:
        return f"{self.wishes.name}.yaml"

    @property
    def contact_sheet(self) -> str:
        return f"{self.wishes.name}_contact.png"

    @property
    def data_set(self) -> str:
        """As a sheet names it: a folder of pictures stays where it is."""
        if self.given.kind is Kind.PICTURES:
            return str(Path(self.given.named).absolute())
        return self.wishes.name

    @property
    def clip(self) -> str | None:
        """What `apply` makes of a file or folder of videos, unless the sheet has another format."""
        if self.given.kind is not Kind.VIDEOS:
            return None
        path = Path(self.given.named)
        if path.is_dir():
            return f"{path.resolve().name}_{self.wishes.name}"
        return f"{path.stem}_{self.wishes.name}.mp4"

    def pictures(self, video: Resolution | None) -> Step | None:
        """Makes the data set; None where it is there. `video` is the size of the first one."""
        if self.given.kind is Kind.PICTURES:
            return None
        if self.given.kind is Kind.ARCHIVE:
            words: tuple[str, ...] = ("fetch", self.given.named, self.wishes.name)
        else:
            how = ("--count", str(self.wishes.frames), "--crop", "none")
            scale = ("--scale", scale_for(video, self.wishes.size))
            words = ("extract", *self.given.videos, self.wishes.name, *how, *scale)
        return Step(("dataset", *words, *self.beside.place))

    def look(self) -> Step:
        """Makes the contact sheet."""
        where = ("--sheet", self.contact_sheet)
        return Step(("dataset", "inspect", self.data_set, *where, *self.beside.place))

    def check(self, *, measured: bool) -> Step:
        """With the time that it will take; where that is to be `measured`, it will take a while."""
        measure = ("--measure",) if measured else ()
        return Step(("check", self.sheet, *measure, *self.beside.device, *self.beside.place))

    def run(self) -> Step:
        beside = (*self.beside.device, *self.beside.exact, *self.beside.place)
        return Step(("run", self.sheet, *beside))

    def apply(self, source: str, size: Resolution) -> Step:
        """Has the network make its pictures of the video, as large as those that it has seen."""
        how = ("--scale", str(size), *self.beside.device, *self.beside.place)
        return Step(("apply", self.wishes.name, source, *how))

    def go_on(self) -> Step:
        """All of it, from where it is, without asking."""
        beside = (*self.beside.device, *self.beside.exact, *self.beside.place)
        return Step(("quick", self.given.named, *self.wishes.words(), *beside, "--yes"))


class Found(NamedTuple):
    """What is there already under the names of what is to be made.

    - data_set: what it tells of what it was made of; None where there is none.
    - clip: what `apply` would make.
    """

    data_set: str | None
    has_contact_sheet: bool
    sheet: Earlier | None
    has_sheet: bool
    has_job: bool
    clip: str | None = None


def in_the_way(steps: Steps, found: Found, source: str) -> str | None:
    """A sentence where something of others has a name that is needed; None: begin, or go on.

    `source` is what our data set would tell of itself.
    """
    name, named = steps.wishes.name, hidden(steps.given.named)
    other = "give another --name"
    if found.has_sheet and not (found.sheet and is_same(found.sheet.named, one_line(named))):
        return f"{steps.sheet} is there already, and was not made of {named}; {other}"
    if found.data_set is not None and not _is_of(found.data_set, source, steps.given.kind):
        return (
            f"the data set {name} is there already, and does not say that it was made of {named} "
            f"in the same way; {other}"
        )
    if found.has_job and not found.has_sheet:
        return f"a job {name} is here already, of another sheet; {other}"
    if found.clip and not found.has_job:
        return f"{found.clip} is there already, where what the network makes would go; {other}"
    if found.has_contact_sheet and not found.has_sheet and found.data_set is None:
        return f"{steps.contact_sheet} is there already; {other}, or move it"
    return None


def is_same(one: str, other: str) -> bool:
    """Whether two names, as typed in the current folder, are of the same file or address."""
    if "://" in one or "://" in other:
        return one == other
    return Path(one).absolute() == Path(other).absolute()


def _is_of(told: str, source: str, kind: Kind) -> bool:
    return told.startswith(source) if kind is Kind.ARCHIVE else told == source


def fetched_source(address: str) -> str:
    """What a data set begins with that was fetched from there."""
    return address_told(address)


def scale_for(video: Resolution | None, longest: int) -> str:
    """FFmpeg's scale for frames whose longer side is `longest`, or the video's own if less."""
    if video is None:
        return f"{longest}:-2"
    side = min(longest, max(video) // 2 * 2)
    return f"-2:{side}" if video.height > video.width else f"{side}:-2"
