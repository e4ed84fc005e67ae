"""What commands that make clips have in common: options, where they write, how far they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import click
from annotated_types import Ge, Gt, Le

from jobs.bounds import unwrap, words_of
from jobs.choices import Parameter
from jobs.errors import UsageError
from jobs.kinds import LARGEST_SIDE, Resolution
from jobs.loops import Duration, Loop
from jobs.outputs import export_name
from jobs.paths import Workspace
from jobs.videos import GIF, MP4, PNG, VIDEOS, WEBM, FormatName
from multitrain.cli_options import refuse_nan

NAMED_SIZES = {
    "720p": Resolution(1280, 720),
    "1080p": Resolution(1920, 1080),
    "1440p": Resolution(2560, 1440),
    "4k": Resolution(3840, 2160),
    "8k": Resolution(7680, 4320),
}

Command = Callable[..., Any]


class SizeType(click.ParamType[Resolution]):
    """`1920x1080`, and where these make sense names such as `1080p`."""

    name = "WxH"

    def __init__(self, *, with_names: bool = False) -> None:
        self._named = NAMED_SIZES if with_names else {}

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Resolution:
        if isinstance(value, Resolution):
            return value
        if size := self._named.get(value.casefold()):
            return size
        match = re.fullmatch(r"(\d{1,5})\s*[xX×*]\s*(\d{1,5})", value.strip())
        if not match or not int(match[1]) or not int(match[2]):
            names = "".join(f", or {', '.join(self._named)}" for _ in range(bool(self._named)))
            self.fail(f"{value[:40]!r} is no size such as 1280x720{names}", param, ctx)
        size = Resolution(int(match[1]), int(match[2]))
        if max(size) > LARGEST_SIDE:
            self.fail(f"{size} is more than {LARGEST_SIDE} a side", param, ctx)
        return size


def loop_option(mode: str, name: str, words: str = "", **more: Any) -> Callable[[Command], Command]:
    """The option for a parameter that loops of this `mode` have in sheets, with its bounds.

    Without `words` for its help, with those that it has there; `more` is for `click.option`.
    """
    parameter = Loop.TABLE[mode][name]
    kind = unwrap(parameter.type)[0]
    meaning = parameter.help.partition("; empty:")[0]
    told: dict[str, Any] = {"help": words or f"{meaning[0].upper()}{meaning[1:]}."}
    if kind is bool:
        told["is_flag"] = True
    else:
        told["type"] = type_of(parameter)
    if kind is float:
        told["callback"] = refuse_nan
    if parameter.default is not None and kind is not bool:
        told |= {"default": parameter.default, "show_default": True}
    return click.option(f"--{name.replace('_', '-')}", **(told | more))


def type_of(parameter: Parameter) -> click.ParamType[Any]:
    """What Click takes for it."""
    kind, bounds = unwrap(parameter.type)
    if words := words_of(kind):
        return click.Choice(words)
    if kind is Resolution:
        return SizeType()
    limits: dict[str, Any] = {}
    for bound in bounds:
        match bound:
            case Ge(ge=value):
                limits |= {"min": value, "min_open": False}
            case Gt(gt=value):
                limits |= {"min": value, "min_open": True}
            case Le(le=value):
                limits |= {"max": value}
    return (click.IntRange if kind is int else click.FloatRange)(**limits)


def length_options(command: Command) -> Command:
    """`--seconds`, `--frames`, `--beats` with `--bpm`: of `duration_of`."""
    for option in (
        loop_option("walk", "bpm"),
        loop_option("walk", "beats", "Length in beats, with --bpm."),
        loop_option("walk", "frames"),
        loop_option("walk", "seconds"),
    ):
        command = option(command)
    return command


def duration_of(
    seconds: float | None, frames: int | None, beats: float | None, bpm: float | None
) -> Duration | None:
    """What the options say; None where they say nothing. UsageError where they do not agree."""
    try:
        return Duration.of(seconds=seconds, frames=frames, beats=beats, bpm=bpm)
    except ValueError as error:
        raise UsageError(str(error)) from error


def told_drift(drift: Fraction) -> str:
    """By how many seconds a loop is longer (+) or shorter than was asked; nothing for none."""
    if not drift:
        return ""
    how = "longer" if drift > 0 else "shorter"
    return f", {abs(float(drift)) * 1000:.1f} ms {how} than asked"


scale_option = loop_option(
    "walk",
    "scale",
    "Size in pixels, or 1080p, 4k; what stands over is cut off.",
    type=SizeType(with_names=True),
)


def format_option_of(usual: str) -> Callable[[Command], Command]:
    """`usual` says in words what is taken where none is named."""
    return click.option(
        "--format",
        "name",
        type=click.Choice(get_args(FormatName)),
        show_default=usual,
        help="See `multitrain formats`.",
    )


format_option = format_option_of("the job's first; h264-intra for H.264 and H.265")
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The file to write."
)


# What files are that say nothing else; a .mov may be many things.
_BY_SUFFIX: dict[str, FormatName] = {MP4: "h264", GIF: "gif", WEBM: "webm", PNG: "png"}


def format_for(name: FormatName | None, output: Path | None, usual: FormatName) -> FormatName:
    """What was named, else what the output's ending tells, else the `usual` one."""
    if name or output is None or output.suffix.casefold() == VIDEOS[usual].suffix:
        return name or usual
    return _BY_SUFFIX.get(output.suffix.casefold(), usual)


def output_for(
    output: Path | None, stem: str, name: FormatName, workspace: Workspace, *, force: bool
) -> Path:
    """Where to write: by default in the current folder, under a name that begins with `stem`.

    UsageError where nothing can be written there, or should not be.
    """
    suffix = VIDEOS[name].suffix
    path = output or Path(export_name(stem, None, suffix))
    if path.suffix.casefold() != suffix:
        raise UsageError(f"{path} must end in {suffix}, as {name} does; or name another --format")
    refuse_taken(path, name, workspace, force=force)
    return path


def refuse_taken(path: Path, name: FormatName | None, workspace: Workspace, *, force: bool) -> None:
    """UsageError where nothing of this format can be written there, or should not be.

    Without a format: any file.
    """
    if path.absolute().parent == workspace.renders.absolute():
        raise UsageError(f"{path}: renders/ is for what jobs make; name another folder")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; give another name, or --force to replace it")
    refuse_other_kind(path, name)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.absolute().parent}")


def refuse_other_kind(path: Path, name: FormatName | None) -> None:
    """UsageError for a folder where a file is to be, or the reverse: `--force` removes neither."""
    is_folder = name is not None and VIDEOS[name].is_folder
    if path.exists() and path.is_dir() != is_folder:
        what = f"not what {name} makes" if name else "a folder"
        raise UsageError(f"{path} is in the way: it is {what}")


@contextmanager
def shown_frames(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yields what is to be told the frames that are done: a bar where stderr is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        bar = bars.add_task(what, total=total)
        yield lambda frames: bars.update(bar, completed=frames)
