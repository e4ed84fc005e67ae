"""`multitrain loop`."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import click

from jobs.errors import UsageError
from jobs.framing import Corner
from jobs.kinds import Resolution
from jobs.loops import ClipSettings, LoopMode
from jobs.paths import Workspace
from jobs.videos import VIDEOS, FormatName, for_loops, notes_on_loop, of_box
from multitrain.cli_options import force_option, workspace_option
from multitrain.clip_commands.clip_options import (
    SizeType,
    duration_of,
    format_for,
    format_option,
    length_options,
    loop_option,
    output_for,
    output_option,
    scale_option,
    shown_frames,
    told_drift,
)

if TYPE_CHECKING:
    from render.clips.looping import Made

# The rest is imported when it is needed, so that a wrong call is told at once.

_CROP = re.compile(r"(\d+\s*[xX×*]\s*\d+)(?:\+(\d{1,5})\+(\d{1,5}))?")


class Crop(NamedTuple):
    """What is cut out; `corner` None: of the middle."""

    size: Resolution
    corner: Corner | None


class CropType(click.ParamType[Crop]):
    """`640x360`, or `640x360+100+50`."""

    name = "WxH[+X+Y]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Crop:
        if isinstance(value, Crop):
            return value
        match = _CROP.fullmatch(value.strip())
        if not match:
            self.fail(f"{value[:40]!r} is no area such as 640x360 or 640x360+100+50", param, ctx)
        corner = Corner(int(match[2]), int(match[3])) if match[2] else None
        return Crop(SizeType().convert(match[1], param, ctx), corner)


class _Input(NamedTuple):
    """What a loop is cut from."""

    title: str  # of the output
    files: tuple[Path, ...]
    name: FormatName  # where none is asked for


@click.command("loop")
@click.argument("source", metavar="INPUT")
@click.option(
    "--mode",
    type=click.Choice([*get_args(LoopMode), "walk"]),
    default="pingpong",
    show_default=True,
    help="Forth and back; the end fades into the beginning; that, where both are most alike; or "
    "drawn anew by the network: see `multitrain walk`.",
)
@length_options
@loop_option("best", "fps", "Frames per second of the loop.", show_default="the film's")
@loop_option("best", "speed")
@loop_option("best", "start", "Seconds of the film where it begins; with best, at the earliest.")
@loop_option(
    "best",
    "fade",
    "Seconds in which the end fades into the beginning.",
    show_default="an eighth of the loop, at most 2",
)
@loop_option("best", "smooth")
@scale_option
@click.option(
    "--crop", type=CropType(), help="Cut from the middle, or from X+Y on, before scaling."
)
@click.option("--box", type=click.IntRange(1), show_default="1", help="Of a job with boxes.")
@format_option
@output_option
@force_option
@workspace_option
@click.pass_context
def command(
    context: click.Context,
    /,
    source: str,
    mode: str,
    box: int | None,
    name: FormatName | None,
    output: Path | None,
    force: bool,
    workspace: Path,
    **options: Any,
) -> None:
    """Make a clip that plays for ever without a jump of INPUT: a film, a timecut or a job's name.

    \b
    multitrain loop night --seconds 10
    multitrain loop night --mode best --beats 32 --bpm 128 --format hap
    multitrain loop renders/night.mp4 --mode crossfade --scale 1080p -o loop.mp4

    Without a length it is as long as the film gives; with best, half of it.
    """
    if mode == "walk":
        _hand_over(context, source, workspace)
        return
    from render import ffmpeg
    from render.clips.looping import make_loop, planned_frames

    settings, corner = _settings(mode, **options)
    place = Workspace(workspace.absolute())
    given = _find(source, box, place)
    form = name or for_loops(format_for(None, output, given.name))
    clip = output_for(output, f"{given.title}_{mode}", form, place, force=force)
    if any(clip.exists() and clip.samefile(file) for file in given.files):
        raise UsageError(f"{clip} is the film itself; give the loop another name")
    ffmpeg.find(form)
    total = planned_frames(given.files, settings, form)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # which takes ffmpeg along
    with shown_frames(clip.name, total) as told:
        made = make_loop(given.files, settings, form, clip, told, corner=corner)
    _tell(clip, made, settings, form)


def _settings(
    mode: str,
    *,
    seconds: float | None,
    frames: int | None,
    beats: float | None,
    bpm: float | None,
    crop: Crop | None,
    **options: Any,
) -> tuple[ClipSettings, Corner | None]:
    """What the options say, and where the crop begins; UsageError where they do not agree."""
    if options["fade"] is not None and mode == "pingpong":
        raise UsageError("pingpong has no fade; take --mode crossfade or best")
    settings = ClipSettings(
        mode=next(each for each in get_args(LoopMode) if each == mode),
        duration=duration_of(seconds, frames, beats, bpm),
        crop=crop.size if crop else None,
        **options,
    )
    return settings, crop.corner if crop else None


def _find(source: str, box: int | None, workspace: Workspace) -> _Input:
    """A file, else a job's film or its timecuts so far."""
    path = Path(source)
    if path.is_file():
        if box is not None:
            raise UsageError(f"{path} is a file; --box is for jobs")
        return _Input(path.stem, (path,), "h264")
    if len(path.parts) > 1 or path.suffix in {each.suffix for each in VIDEOS.values()}:
        raise UsageError(f"there is no file {path}")
    from jobs.tinkering.earlier_jobs import past_job
    from render.clips.comparing import find_take

    take = find_take(workspace, source, box)
    return _Input(f"{source}{of_box(box)}", take.files, past_job(workspace, source).spec.format[0])


def _tell(clip: Path, made: Made, settings: ClipSettings, name: FormatName) -> None:
    """How long it is, where it was cut, and what was done to the pictures."""
    length = f"{made.frames} frames at {made.fps} fps, {made.seconds:.3f} s"
    click.echo(f"{clip}: {length}{told_drift(made.drift)}")
    fade = f", with a fade of {made.fade:.2f} s" if made.fade else ""
    shown = f"{made.taken:.2f} s of the film, from {made.start:.2f} s on{fade}"
    click.echo(f"{settings.mode}: {shown}")
    if made.framed:
        click.echo(made.framed)
    for note in notes_on_loop(name, *made.size, made.fps):
        click.echo(note)


# Options of `walk`, and those that both have.
_WALKING = ("seconds", "frames", "beats", "bpm", "fps", "scale", "name", "output", "force")


def _hand_over(context: click.Context, source: str, workspace: Path) -> None:
    """To `multitrain walk`, with the options that it has, too."""
    from multitrain.clip_commands.walk import command as walk

    if Path(source).is_file():
        raise UsageError(
            f"a walk is drawn by a network that a job has trained: name the job, not {source}"
        )
    call = [source, "--workspace", str(workspace)]
    for option in context.command.params:
        key = str(option.name)
        told = context.get_parameter_source(key)
        if told is None or told.name == "DEFAULT" or key in ("source", "mode", "workspace"):
            continue
        if key == "crop":
            if context.params[key].corner:
                raise UsageError(
                    "a walk is cut from the middle: give --crop without a corner, such as "
                    f"{context.params[key].size}"
                )
            call += ["--crop", str(context.params[key].size)]
        elif key not in _WALKING:
            raise UsageError(f"{option.opts[0]} is not for walks: see `multitrain walk --help`")
        else:
            call += [option.opts[-1]]
            call += [] if key == "force" else [str(context.params[key])]
    with walk.make_context("walk", call, parent=context) as inner:
        walk.invoke(inner)
