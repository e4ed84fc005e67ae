"""What the commands that make clips share: options, output files, progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, get_args

import click
from annotated_types import Ge, Gt, Le

from jobs.errors import UsageError
from jobs.settings.bounds import unwrap, words_of
from jobs.settings.choices import Parameter
from jobs.settings.kinds import LARGEST_SIDE, Resolution
from jobs.settings.lengths import SECONDS
from jobs.settings.loops import Duration, Loop
from jobs.settings.songs import WANTED_TEMPI, TempoRange, parse_tempi
from jobs.settings.videos import MP4, VIDEOS, FormatName
from jobs.workspace.outputs import OutputName, export_name
from jobs.workspace.paths import Workspace
from multitrain.commands.long_work import shown_work
from multitrain.commands.options import Number, Seconds, Whole

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


class TempiType(click.ParamType[TempoRange]):
    """`90-180`."""

    name = "BPM-BPM"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> TempoRange:
        try:
            tempi = parse_tempi(value)
        except ValueError:
            self.fail(f"{value[:40]!r} is not {WANTED_TEMPI}", param, ctx)
        assert isinstance(tempi, TempoRange), "of a text, or it was one"
        return tempi


def loop_option(mode: str, name: str, words: str = "", **more: Any) -> Callable[[Command], Command]:
    """The option for a parameter that loops of this `mode` have in sheets, with its bounds.

    `words` is its help text; if empty, the parameter's own. `more` goes to `click.option`.
    """
    parameter = Loop.TABLE[mode][name]
    kind = unwrap(parameter.type)[0]
    meaning = parameter.help.partition("; empty:")[0]
    settings: dict[str, Any] = {"help": words or f"{meaning[0].upper()}{meaning[1:]}."}
    if kind is bool:
        settings["is_flag"] = True
    else:
        settings["type"] = type_of(parameter)
    if parameter.default is not None and kind is not bool:
        settings |= {"default": parameter.default, "show_default": True}
    return click.option(f"--{name.replace('_', '-')}", **(settings | more))


def type_of(parameter: Parameter) -> click.ParamType[Any]:
    """The Click type that parses values of `parameter`."""
    kind, bounds = unwrap(parameter.type)
    if words := words_of(kind):
        return click.Choice(words)
    if kind is Resolution:
        return SizeType()
    if kind is TempoRange:
        return TempiType()
    limits: dict[str, Any] = {}
    for bound in bounds:
        match bound:
            case Ge(ge=value):
                limits |= {"min": value, "min_open": False}
            case Gt(gt=value):
                limits |= {"min": value, "min_open": True}
            case Le(le=value):
                limits |= {"max": value}
    if kind is int:
        return Whole(**limits)
    return (Seconds if SECONDS in bounds else Number)(**limits)


def length_options(command: Command) -> Command:
    """Add `--seconds`, `--frames`, and `--beats` with `--bpm`, which `duration_of` reads."""
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
    """The length that the options give, or None. UsageError where they disagree."""
    try:
        return Duration.of(seconds=seconds, frames=frames, beats=beats, bpm=bpm)
    except ValueError as error:
        raise UsageError(str(error)) from error


def told_drift(drift: Fraction) -> str:
    """A clause on a loop that is `drift` seconds longer (+) or shorter than asked; empty for 0."""
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


def _named(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A name that is given; an empty one is what a script's unset variable becomes."""
    if value is not None and not value.strip():
        raise click.BadParameter("an empty text is no job's name")
    return value


scale_with_option = click.option(
    "--scale-with",
    callback=_named,
    metavar="JOB",
    help="A superres job whose network enlarges it, as `multitrain apply` does.",
)
gpus_option = click.option(
    "--gpus", default="auto", show_default=True, help="auto, cpu, or GPUs such as 0: one is taken."
)


def format_option_of(usual: str) -> Callable[[Command], Command]:
    """The option `--format`; `usual` is what its help shows as the default."""
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


# The format that a suffix stands for; a .mov may hold several formats.
_BY_SUFFIX: dict[str, FormatName] = {
    MP4: "h264",
    **{video.suffix: name for name, video in VIDEOS.items() if video.suffix == f".{name}"},
}


def format_for(name: FormatName | None, output: Path | None, usual: FormatName) -> FormatName:
    """The named format, else the one of the output's suffix, else the `usual` one."""
    if name or output is None or output.suffix.casefold() == VIDEOS[usual].suffix:
        return name or usual
    return _BY_SUFFIX.get(output.suffix.casefold(), usual)


def output_for(
    output: Path | None,
    stem: str,
    name: FormatName,
    workspace: Workspace,
    *,
    force: bool,
    note: str = "",
) -> Path:
    """Where to write: by default in the current folder, under a name that begins with `stem`.

    A file that exists and carries this `note` may stay: see `is_there`. UsageError where the file
    cannot or should not be written there.
    """
    suffix = VIDEOS[name].suffix
    path = output or Path(export_name(stem, None, suffix))
    if path.suffix.casefold() != suffix:
        raise UsageError(f"{path} must end in {suffix}, as {name} does; or name another --format")
    refuse_taken(path, name, workspace, force=force, note=note)
    return path


def is_there(path: Path, *, force: bool) -> bool:
    """Whether `path` exists and may stay, so that nothing is to be made; prints its name."""
    if not path.exists() or force:
        return False
    click.echo(path)
    click.echo(f"note: {path} is there already; --force replaces it", err=True)
    return True


def is_another(path: Path, note: str) -> bool:
    """Whether a file is there that does not carry this note."""
    from render.clips.asked import is_as_asked

    return path.exists() and not (note and is_as_asked(path, note))


def refuse_taken(
    path: Path,
    name: FormatName | None,
    workspace: Workspace,
    *,
    force: bool,
    note: str = "",
) -> None:
    """UsageError where a file of format `name` cannot or should not be written to `path`.

    `name` None: a file of any format. A file that carries this `note` is the one asked for.
    """
    folder = path.absolute().parent
    if folder == workspace.renders.absolute():
        raise UsageError(f"{path}: renders/ is for what jobs make; name another folder")
    if not force and is_another(path, note):
        raise UsageError(
            f"{path} is there already, and nothing in it says that it is what you ask for; give "
            "another name, or --force to replace it"
        )
    refuse_other_kind(path, name)
    if not folder.is_dir():
        raise UsageError(f"{path}: there is no folder {folder}")
    if force or not path.exists():
        refuse_closed(folder)


def refuse_closed(folder: Path) -> None:
    """UsageError where no files can be made in a folder, or it cannot be made itself.

    So that nobody is told after hours of work.
    """
    above = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        with TemporaryFile(dir=above):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).casefold()
        raise UsageError(
            f"nothing can be written to {above} ({reason}); name another -o"
        ) from error


def note_timecuts(job: str, files: Sequence[Path]) -> None:
    """Print a note where a job has no film yet, so that its timecuts so far are used."""
    from jobs.tinkering.earlier_jobs import job_in

    name = OutputName.parse(files[0].name)
    if name is None or not name.is_timecut:
        return
    found = job_in(files[0].parent, job)
    planned = f" of {len(found.plan.cuts)}" if found else ""
    click.echo(
        f"note: there is no film of {job} yet; it is made of {len(files)}{planned} timecuts",
        err=True,
    )


def names_file(text: str) -> bool:
    """Whether `text` means a file, existing or not, rather than a job."""
    path = Path(text)
    return len(path.parts) > 1 or path.suffix in {each.suffix for each in VIDEOS.values()}


def refuse_no_film(text: str) -> None:
    """UsageError for what means a file rather than a job; there is none."""
    if names_file(text) and Path(text).is_dir():
        raise UsageError(f"{text} is a folder; name the film that its frames were made of")
    if names_file(text):
        raise UsageError(f"there is no film {text}")


def refuse_other_kind(path: Path, name: FormatName | None) -> None:
    """UsageError for a folder where a file is to be, or the reverse: `--force` removes neither."""
    is_folder = name is not None and VIDEOS[name].is_folder
    if path.exists() and path.is_dir() != is_folder:
        what = f"not what {name} makes" if name else "a folder"
        raise UsageError(f"{path} is in the way: it is {what}")


def shown_frames(what: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """Yields a function to call with the number of frames that are done."""
    return shown_work(what, total, "frames")
