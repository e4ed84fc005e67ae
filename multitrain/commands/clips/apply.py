"""`multitrain apply`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.errors import ExitCode, MultitrainError
from jobs.secrets import hidden
from jobs.settings.videos import FormatName
from jobs.workspace.disk import means_full
from multitrain.commands.clips.clip_options import (
    SizeType,
    format_for,
    format_option_of,
    gpus_option,
    output_option,
    shown_frames,
)
from multitrain.commands.long_work import say_aside, shown_work
from multitrain.commands.options import (
    Number,
    Seconds,
    Whole,
    force_option,
    step_option,
    workspace_option,
)

if TYPE_CHECKING:
    from jobs.settings.translation import Filter
    from multitrain.applying.asked import Asked, Mix
    from multitrain.applying.making import Networks
    from multitrain.commands.clips.apply_todo import ToDo, Video

# Other modules are imported when needed, so that a wrong call is reported at once.

MOST_TIMES, MOST_FPS = 16, 1000  # of frames between frames
MOST_STEADY = 60  # seconds of smoothing: what enters a picture is there by then

_MIX = re.compile(r"([^:@]+)(?:@(\d+|best))?(?::(\d*\.?\d+)(?:\.\.(\d*\.?\d+))?)?")


class FilterType(click.ParamType[Any]):
    """`1,0.005`, `none`."""

    name = "RADIUS,EPS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Filter:
        from jobs.settings.translation import Filter

        if isinstance(value, Filter):
            return value
        radius, _, eps = value.partition(",")
        try:
            return Filter.parse(f"guided(radius={radius},eps={eps})" if eps else value)
        except ValueError as error:
            self.fail(f"{value!r} is no filter such as 1,0.005, or none: {error}", param, ctx)


class MixType(click.ParamType[Any]):
    """`night`, `night:0.5`, `night@4000:0..1`, `night@best`."""

    name = "JOB[@STEP][:FROM..TO]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Mix:
        from multitrain.applying.asked import Mix
        from multitrain.applying.course import Mixture

        if isinstance(value, Mix):
            return value
        match = _MIX.fullmatch(value.strip())
        if not match:
            self.fail(f"{value!r} is no mix such as night:0..1 or night@4000:0.5", param, ctx)
        job, step, first, last = match.groups()
        mixture = Mixture(float(first or 0), float(last or first or 1))
        if max(mixture) > 1:
            self.fail(f"{value!r}: shares are from 0 to 1", param, ctx)
        return Mix(job, "best" if step == "best" else int(step) if step else None, mixture)


@click.command("apply")
@click.argument("job")
@click.argument("source", metavar="INPUT")
@output_option
@step_option
@click.option("--through-time", is_flag=True, help="From the first kept checkpoint to the last.")
@click.option("--mix", type=MixType(), help="Mix in weights of another job with the same origin.")
@click.option(
    "--steady",
    type=Seconds(min=0, min_open=True, max=MOST_STEADY),
    help="Against flicker: smooth what the network sees of the whole picture over so long.",
)
@click.option("--closed", is_flag=True, help="What changes comes back: a loop still closes.")
@click.option("--back", is_flag=True, help="Make inputs of targets, by a cyclegan.")
@click.option(
    "--stage", metavar="NAME", help="Of a ppon: content, structure, or perception, the last one."
)
@click.option("--raw", is_flag=True, help="INPUT is as after input_from: do not apply that to it.")
@click.option("--ensemble", is_flag=True, help="The mean over mirror images: calmer, and slower.")
@click.option(
    "--guided",
    "output_filter",
    type=FilterType(),
    help="Of a cartoon: what smooths its pictures; the larger, the flatter.",
    show_default="as it was trained",
)
@click.option(
    "--strength",
    type=Number(0, 1),
    default=1.0,
    show_default=True,
    help="Of a superres or ppon: how much of it; 0 is the picture, scaled up.",
)
@click.option(
    "--keep-colours", is_flag=True, help="Of a superres or ppon: broad areas keep their colours."
)
@click.option(
    "--channels",
    type=Whole(1, 256),
    help="Of an autoencoder: only the first so many of its latent channels are sent.",
    show_default="all",
)
@click.option(
    "--scale",
    type=SizeType(with_names=True),
    help="Make INPUT so large before: the training's size, say; what stands over is cut off.",
)
@click.option(
    "--times",
    "multiple",
    type=Whole(2, MOST_TIMES),
    help="Of an inbetween: so many times as many frames.",
    show_default="2",
)
@click.option(
    "--fps",
    type=Whole(1, MOST_FPS),
    help="Of an inbetween: as many frames as give so many per second.",
)
@format_option_of("that of -o, else the job's first")
@gpus_option
@force_option
@workspace_option
@click.pass_context
def command(
    context: click.Context,
    /,
    job: str,
    source: str,
    output: Path | None,
    name: FormatName | None,
    gpus: str,
    force: bool,
    workspace: Path,
    **options: Any,
) -> None:
    """Make of INPUT what JOB has learnt to make: of a picture, a video, or a folder of them.

    JOB is a pix2pix, cyclegan, cartoon, superres or ppon, which enlarge, inbetween, which makes the
    frames between those of a video, or autoencoder, which codes and decodes. INPUT may be the name
    of a job, too: its film. Videos keep their length and sound, and but of those that enlarge and
    inbetween their size and their rate; killed, the same call goes on. Pictures become PNG files.

    \b
    multitrain apply night holiday.mp4
    multitrain apply night holiday.mp4 --through-time --format prores
    multitrain apply night photos/ -o painted/
    multitrain apply tween renders/night.mp4 --fps 60
    """
    from jobs.tinkering.earlier_jobs import past_job
    from jobs.workspace.paths import Workspace
    from multitrain.applying.asked import Asked
    from multitrain.applying.inputs import Inputs
    from multitrain.commands.clips.apply_todo import what_to_do

    place = Workspace(workspace.absolute())
    asked = Asked(place, past_job(place, job), **options)
    asked.check()
    inputs = Inputs.find(place, source)
    form = format_for(name, None if inputs.folder else output, asked.job.spec.format[0])
    files = inputs.outputs(job, form, output)
    for each in inputs.left_out:
        say_aside(f"note: {each.path} is left out: it {each.reason}")
    is_folder = inputs.folder is not None
    todo = what_to_do(asked, files, form, force=force, is_folder=is_folder)
    are_made = not todo.failed
    if todo.videos or todo.pictures:
        with framework_on_device(gpus):
            are_made &= make_all(asked, todo)
    if not are_made:
        context.exit(ExitCode.FAILED)


@contextmanager
def framework_on_device(gpus: str) -> Iterator[None]:
    """Meanwhile `make_all` can be called: its framework is there, and has a device."""
    from multitrain.inference.starting import framework_on

    with framework_on(gpus, say_aside, _load):
        yield


def make_all(asked: Asked, todo: ToDo) -> bool:
    """Whether all is there now; the reasons why not are printed."""
    networks = networks_for(asked)
    made = [_make_video(each, networks) for each in todo.videos]
    made += _make_pictures(asked, todo, networks) if todo.pictures else []
    return all(made)


def networks_for(asked: Asked) -> Networks:
    """The job's networks, on the device that there is."""
    from multitrain.applying.making import Networks
    from multitrain.engine.session import SessionSettings
    from multitrain.inference.network import Device

    return Networks(asked, Device(asked.job, SessionSettings()))


def _load() -> None:
    import multitrain.applying.translator  # noqa: F401 - with its framework


def _make_video(video: Video, networks: Networks) -> bool:
    try:
        make_one(video, networks)
    except MultitrainError as error:
        if means_full(error):
            raise
        path = video.plan.film.path
        say_aside(hidden(str(error) if str(path) in str(error) else f"{path}: {error}"))
        return False
    return True


def make_one(video: Video, networks: Networks) -> None:
    """Make a video, and print what it has become. Raises as `make_video` does."""
    from multitrain.applying.making import make_video

    plan, output, note = video
    with shown_frames(output.name, plan.frames) as on_frames:
        left = make_video(plan, output, note, partial(networks.of_video, plan), on_frames)
    if left:
        say_aside(hidden(f"note: {output}: {left}"))
    seconds = float(plan.frames / plan.fps)
    length = f"{plan.frames} frames at {float(plan.fps):g} fps, {seconds:.3f} s"
    click.echo(f"{output}: {length}; {plan.course.told}")


def _make_pictures(asked: Asked, todo: ToDo, networks: Networks) -> Iterator[bool]:
    """Whether each is there now."""
    from multitrain.applying.making import make_pictures

    pictures = todo.pictures
    with shown_work("pictures", len(pictures), "pictures") as on_done:
        reasons = make_pictures(asked, todo.of_pictures, pictures, networks)
        for number, (picture, reason) in enumerate(zip(pictures, reasons, strict=True), 1):
            if reason:
                say_aside(f"{picture.source}: {reason}")
            else:
                click.echo(picture.output)
            on_done(number)
            yield reason is None
