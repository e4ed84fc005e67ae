"""`multitrain loop`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import click

from jobs.errors import UsageError
from jobs.plans.framing import Corner
from jobs.settings.kinds import Resolution
from jobs.settings.loops import LONGEST_SECONDS, ClipSettings, Duration, LoopMode
from jobs.settings.videos import FormatName, for_loops, notes_on_loop, of_box
from jobs.sheets.rules import MOST_BOXES
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.clip_options import (
    SizeType,
    duration_of,
    format_for,
    format_option,
    gpus_option,
    is_there,
    length_options,
    loop_option,
    note_timecuts,
    output_for,
    output_option,
    refuse_no_film,
    scale_option,
    scale_with_option,
    shown_frames,
    told_drift,
)
from multitrain.commands.options import Seconds, Whole, force_option, workspace_option

if TYPE_CHECKING:
    from render.clips.looping import Made, Planned

# Other modules are imported when needed, so that a wrong call is reported at once.

_CROP = re.compile(r"(\d+\s*[xX×*]\s*\d+)(?:\+(\d{1,5})\+(\d{1,5}))?")


class Crop(NamedTuple):
    """The area to cut out; `corner` None: the middle."""

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

    title: str  # begins the output's name
    files: tuple[Path, ...]
    name: FormatName  # the default


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
@loop_option(
    "best",
    "start",
    "Seconds of the film where it begins; with best, at the earliest.",
    show_default="where the picture has settled",
)
@click.option(
    "--within",
    type=Seconds(0, LONGEST_SECONDS),
    help="With best: seconds from there on in which its beginning is looked for.",
    show_default="all of the film",
)
@loop_option(
    "best",
    "fade",
    "Seconds in which the end fades into the beginning.",
    show_default="an eighth of the loop, at most 2",
)
@click.option(
    "--smooth",
    is_flag=False,
    flag_value="",
    metavar="[JOB]",
    help="Where frames are missing, they are drawn by motion interpolation: ffmpeg's, or by the "
    "network of an inbetween JOB.",
)
@scale_option
@click.option(
    "--crop", type=CropType(), help="Cut from the middle, or from X+Y on, before scaling."
)
@click.option("--box", type=Whole(1, MOST_BOXES), show_default="1", help="Of a job with boxes.")
@format_option
@scale_with_option
@gpus_option
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
    within: float | None,
    smooth: str | None,
    scale_with: str | None,
    gpus: str,
    workspace: Path,
    **options: Any,
) -> None:
    """Make a clip that plays for ever without a jump of INPUT: a film, a timecut or a job's name.

    \b
    multitrain loop night --seconds 10
    multitrain loop night --mode best --beats 32 --bpm 128 --format hap
    multitrain loop renders/night.mp4 --mode crossfade --scale 1080p -o loop.mp4
    multitrain loop night --speed 0.5 --smooth tween

    Without a length it is as long as the film gives; with best, half of it.
    """
    if mode == "walk":
        _hand_over(context, source, workspace)
        return
    from multitrain.applying.enlarging import Enlarging
    from multitrain.applying.smoothing import Smoothing
    from render.clips.asked import asked_for
    from render.clips.looping import make_loop, plan_clip
    from render.clips.pieces import LOSSLESS
    from render.encoding import ffmpeg

    if within is not None and mode != "best":
        raise UsageError("--within is for --mode best, which looks for its beginning")
    if smooth and scale_with:
        raise UsageError(
            "--smooth JOB and --scale-with have a network each; make the loop with --smooth, and "
            "then enlarge it by multitrain export --scale-with"
        )
    settings, corner = _settings(mode, smooth=smooth == "", **options)
    place = Workspace(workspace.absolute())
    given = _find(source, box, place)
    form = name or for_loops(format_for(None, output, given.name))
    larger = Enlarging.by(place, scale_with, form, closed=True) if scale_with else None
    between = Smoothing.by(place, smooth) if smooth else None
    planned = plan_clip(given.files, settings, form, lambda _: None)
    total = planned.cycle.frames
    length = settings.duration or Duration(frames=total)
    more = () if within is None else (within,)  # so notes of earlier versions stay what they are
    facts = (settings, corner, form, *more)
    by_network = larger or between
    note = (by_network.note if by_network else asked_for)(given.files, *facts)
    title = f"{given.title}_{mode}_{length.label}" + (f"_{scale_with}" if scale_with else "")
    clip = output_for(output, title, form, place, force=force, note=note)
    if is_there(clip, force=force):
        return
    if any(clip.exists() and clip.samefile(file) for file in given.files):
        raise UsageError(f"{clip} is the film itself; give the loop another name")
    ffmpeg.find(form)

    def make(clip: Path, form: FormatName, note: str = "", planned: Planned = planned) -> Made:
        with shown_frames(clip.name, planned.cycle.frames) as on_progress:
            return make_loop(
                given.files,
                settings,
                form,
                clip,
                on_progress,
                corner=corner,
                planned=planned,
                within=within,
                note=note,
            )

    is_between = between is not None and planned.cycle.lies_between
    if larger is None and not is_between:
        made = make(clip, form, note)
        click.echo(f"{clip}: {made.told}{told_drift(made.drift)}")
        _tell(made, settings)
        for each in notes_on_loop(form, *made.size, made.fps):
            click.echo(each)
        return
    from multitrain.commands.clips.apply import framework_on_device
    from multitrain.commands.clips.enlarge import enlarge, fill

    def make_moments(path: Path, alone: Planned) -> None:
        _tell(make(path, LOSSLESS, planned=alone), settings)

    with framework_on_device(gpus):
        if larger:
            enlarge(larger, lambda path: _tell(make(path, LOSSLESS), settings), clip, note)
        elif between:
            fill(between.plan(make_moments, planned, form, note), clip, note)


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
    refuse_no_film(source)
    from jobs.tinkering.earlier_jobs import past_job
    from render.clips.comparing import find_take

    take = find_take(workspace, source, box)
    note_timecuts(source, take.files)
    return _Input(f"{source}{of_box(box)}", take.files, past_job(workspace, source).spec.format[0])


def _tell(made: Made, settings: ClipSettings) -> None:
    """Print where the loop was cut, and what was done to the pictures."""
    fade = f", with a fade of {made.fade:.2f} s" if made.fade else ""
    shown = f"{made.taken:.2f} s of the film, from {made.start:.2f} s on{fade}"
    click.echo(f"{settings.mode}: {shown}")
    if why := _why_there(made):
        click.echo(f"{why}; --start names another moment")
    if made.framed:
        click.echo(made.framed)


def _why_there(made: Made) -> str | None:
    """Why a loop begins where it does, if that depends on when the picture settles; else None."""
    if not made.settled:
        return None
    where = f"looked for from {made.earliest:.2f} s on" if made.start > made.earliest else "begins"
    if not made.settled_in_time:
        why = "the picture has not settled in its first half"
        if made.earliest != made.settled:
            return f"{where} before the middle of the film: {why}, and the rest is too short"
        there = (
            ", the middle of the film"
            if made.start > made.earliest
            else " in the middle of the film"
        )
        return f"{where}{there}: {why}"
    if made.earliest == made.settled:
        return f"{where} where the picture has settled"
    return f"{where} before the picture has settled, at {made.settled:.2f} s: the rest is too short"


# Options that `loop` hands over to `walk`.
_WALKING = (
    *("seconds", "frames", "beats", "bpm", "fps", "scale", "scale_with", "name", "gpus"),
    *("output", "force"),
)


def _hand_over(context: click.Context, source: str, workspace: Path) -> None:
    """Run `multitrain walk` with the options given. UsageError for those that it does not have."""
    from multitrain.commands.clips.walk import command as walk

    if Path(source).is_file():
        raise UsageError(
            f"a walk is drawn by a network that a job has trained: name the job, not {source}"
        )
    call = [source, "--workspace", str(workspace)]
    for option in context.command.params:
        key = str(option.name)
        given_by = context.get_parameter_source(key)
        if given_by is None or given_by.name == "DEFAULT" or key in ("source", "mode", "workspace"):
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
