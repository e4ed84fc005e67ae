"""Names of the files in `renders/`: what each means, and what a job leaves there beside its film.

night_timecut0001.mp4   a timecut            night_loop0001.mov   the first loop of its list
night.mp4               the film             night.hap.mov        the film in another format
night.jpg               its poster           night.contact.jpg    its contact sheet
night_applied0001.mp4   the first of the videos that its network is applied to
night.mtc               what was sent to a receiver (`multitrain.codec`)
night.part.mp4          what `merge` has joined of the timecuts of a job that is unfinished

With boxes, each but the last but one is there for every box: `night_box0002.mp4`,
`night_loop0001_box0002.mov`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self, get_args

from jobs.settings.videos import MP4, VIDEOS, FormatName, for_loops, of_box

if TYPE_CHECKING:
    from jobs.plans.plan import FramePlan
    from jobs.settings.loops import Loop
    from jobs.settings.spec import JobSpec

JPG = ".jpg"
STREAM = ".mtc"  # of `multitrain codec`
CONTACT = "contact"  # stands in a name where a format would
OF_SOME = "part"  # likewise; no job's name ends so, nor does that of anything that a job makes


class OutputName(NamedTuple):
    """The parts of the name of a file in `renders/`; numbers count from 1."""

    job: str
    timecut: int | None = None  # None: the film
    box: int | None = None  # None: the whole frame
    suffix: str = MP4
    loop: int | None = None  # None: no loop
    format: str | None = None  # of an export, or `contact`, or `part`; None: the name has none
    applied: int | None = None  # None: the network was not applied to a video

    def __str__(self) -> str:
        cut = "" if self.timecut is None else f"_timecut{self.timecut:04d}"
        loop = "" if self.loop is None else f"_loop{self.loop:04d}"
        applied = "" if self.applied is None else f"_applied{self.applied:04d}"
        stem = f"{self.job}{cut}{loop}{applied}{of_box(self.box)}"
        return export_name(stem, self.format, self.suffix)

    @property
    def is_film(self) -> bool:
        """Whether the file is a film, or that of a box, in the format that it was made in first."""
        parts = (self.timecut, self.loop, self.format, self.applied)
        return set(parts) == {None} and self.suffix not in (JPG, STREAM)

    @property
    def is_timecut(self) -> bool:
        """Whether the file is a timecut in the format that it was made in first."""
        return self.timecut is not None and self.format is None and self.suffix != JPG

    @classmethod
    def parse(cls, file: str) -> Self | None:
        """The parts of `file`; None where it is not the name of an output."""
        match = _OUTPUT.fullmatch(file)
        if not match:
            return None
        form = match["format"]
        if form is None and match["suffix"] in _TELLING:
            form = match["suffix"].removeprefix(".")
        numbers = [_number(match[key]) for key in ("timecut", "box", "loop", "applied")]
        timecut, box, loop, applied = numbers
        name = cls(match["job"], timecut, box, match["suffix"], loop, form, applied)
        return name if str(name) == file and 0 not in numbers else None


def export_name(stem: str, name: str | None, suffix: str) -> str:
    """`night.hap.mov`; `night.gif`, where the suffix is the format; `night.mp4` without one."""
    middle = "" if name is None or f".{name}" == suffix else f".{name}"
    return f"{stem}{middle}{suffix}"


@dataclass(frozen=True)
class Export:
    """A film in another format."""

    box: int | None
    format: FormatName

    def __str__(self) -> str:
        return f"{self.format} of the film{_box(self.box)}"


@dataclass(frozen=True)
class Pictures:
    """A film's poster and contact sheet."""

    box: int | None

    def __str__(self) -> str:
        return f"poster and contact sheet{_box(self.box)}"


@dataclass(frozen=True)
class LoopFile:
    """A loop of the sheet's list, of one box; walks show no boxes."""

    number: int
    box: int | None
    loop: Loop

    def __str__(self) -> str:
        return f"loop {self.number}{_box(self.box)}: {self.loop}"


@dataclass(frozen=True)
class AppliedFile:
    """What the trained network makes of a video of the sheet's list."""

    number: int
    source: str

    def __str__(self) -> str:
        return f"video {self.number}: {self.source} through the network"


@dataclass(frozen=True)
class StreamFile:
    """What was sent while the network learned, as a file for `multitrain codec`."""

    def __str__(self) -> str:
        return "the stream"


Extra = Export | Pictures | LoopFile | AppliedFile | StreamFile


def extras(spec: JobSpec, plan: FramePlan) -> Iterator[Extra]:
    """What is made when the film is there, the quick things first."""
    if spec.render_video:
        yield from (Pictures(box) for box in plan.box_numbers)
        yield from (Export(box, name) for name in spec.format[1:] for box in plan.box_numbers)
    if spec.stream:
        yield StreamFile()
    yield from loop_files(spec, plan)
    yield from (AppliedFile(number, name) for number, name in enumerate(spec.apply_to or (), 1))


def loop_files(spec: JobSpec, plan: FramePlan) -> Iterator[LoopFile]:
    """The loops that the sheet asks for, in its order."""
    for number, loop in enumerate(spec.loops or (), 1):
        for box in (None,) if loop.is_walk else plan.box_numbers:
            yield LoopFile(number, box, loop)


def is_drawn_by_trainer(extra: Extra) -> bool:
    """Whether a trained network draws the extra, so that the render worker does not make it."""
    match extra:
        case AppliedFile() | StreamFile():
            return True
        case LoopFile(_, _, loop):
            return loop.is_walk or loop.scale_with is not None
    return False


def extra_names(job: str, extra: Extra, spec: JobSpec) -> tuple[str, ...]:
    """The names of its files in `renders/`; most extras have one."""
    match extra:
        case Export(box, name):
            suffix = VIDEOS[name].suffix
            return (str(OutputName(job, None, box, suffix, format=name)),)
        case Pictures(box):
            picture = OutputName(job, None, box, JPG)
            return str(picture), str(picture._replace(format=CONTACT))
        case LoopFile(number, box, loop):
            name = format_of(loop, spec)
            suffix = VIDEOS[name].suffix
            shown = name if suffix in _TELLING else None
            return (str(OutputName(job, None, box, suffix, number, shown)),)
        case AppliedFile(number, _):
            suffix = VIDEOS[spec.format[0]].suffix
            return (str(OutputName(job, suffix=suffix, applied=number)),)
        case StreamFile():
            return (str(OutputName(job, suffix=STREAM)),)


def format_of(loop: Loop, spec: JobSpec) -> FormatName:
    """The format that a loop is made in: its own, else what suits loops of such a film."""
    return loop.format or for_loops(spec.format[0])


def _box(number: int | None) -> str:
    return "" if number is None else f" of box {number}"


def _number(digits: str | None) -> int | None:
    return int(digits) if digits else None


# Suffixes that are the format's name: `.gif`.
_TELLING = {each.suffix for name, each in VIDEOS.items() if f".{name}" == each.suffix}

# The longest first: `h264-intra` begins with `h264`.
_FORMATS = "|".join(sorted((*get_args(FormatName), CONTACT, OF_SOME), key=len, reverse=True))
_OF_VIDEOS = {each.suffix for each in VIDEOS.values()}
_SUFFIXES = "|".join(re.escape(each) for each in {JPG, STREAM, *_OF_VIDEOS})
_OUTPUT = re.compile(
    r"(?P<job>.+?)(?:_timecut(?P<timecut>\d{4,}))?(?:_loop(?P<loop>\d{4,}))?"
    r"(?:_applied(?P<applied>\d{4,}))?"
    r"(?:_box(?P<box>\d{4,}))?"
    rf"(?:\.(?P<format>{_FORMATS}))?(?P<suffix>{_SUFFIXES})"
)
