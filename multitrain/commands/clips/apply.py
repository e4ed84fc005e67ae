"""`multitrain apply`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from jobs.errors import ExitCode, MultitrainError
from jobs.secrets import hidden
from jobs.settings.bounds import LARGEST
from jobs.settings.videos import FormatName, notes_on
from jobs.units import bytes_for_people
from jobs.workspace.disk import means_full
from jobs.workspace.files import listing
from multitrain.commands.clips.clip_options import (
    SizeType,
    format_for,
    format_option_of,
    is_there,
    output_option,
    refuse_taken,
    shown_frames,
)
from multitrain.commands.long_work import say_aside, shown_work
from multitrain.commands.options import Whole, force_option, workspace_option

if TYPE_CHECKING:
    from jobs.workspace.paths import Workspace
    from multitrain.applying.asked import Asked, Mix
    from multitrain.applying.course import Course
    from multitrain.applying.inputs import File
    from multitrain.applying.planning import Picture, VideoPlan
    from multitrain.inference.network import Device
    from multitrain.weights.moments import Moments

# Other modules are imported when needed, so that a wrong call is reported at once.

_MIX = re.compile(r"([^:@]+)(?:@(\d+))?(?::(\d*\.?\d+)(?:\.\.(\d*\.?\d+))?)?")


class MixType(click.ParamType[Any]):
    """`night`, `night:0.5`, `night@4000:0..1`."""

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
        return Mix(job, int(step) if step else None, mixture)


@click.command("apply")
@click.argument("job")
@click.argument("source", metavar="INPUT")
@output_option
@click.option("--step", type=Whole(0, LARGEST), help="Of the training.", show_default="the newest")
@click.option("--through-time", is_flag=True, help="From the first kept checkpoint to the last.")
@click.option("--mix", type=MixType(), help="Mix in weights of another job with the same origin.")
@click.option("--closed", is_flag=True, help="Weights come back to the first: a loop still closes.")
@click.option("--back", is_flag=True, help="Make inputs of targets, by a cyclegan.")
@click.option("--raw", is_flag=True, help="INPUT is as after input_from: do not apply that to it.")
@click.option("--ensemble", is_flag=True, help="The mean over mirror images: calmer, and slower.")
@click.option(
    "--scale",
    type=SizeType(with_names=True),
    help="Make INPUT so large before: the training's size, say; what stands over is cut off.",
)
@format_option_of("that of -o, else the job's first")
@click.option(
    "--gpus", default="auto", show_default=True, help="auto, cpu, or GPUs such as 0: one is taken."
)
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

    JOB is a pix2pix or cyclegan. INPUT may be the name of a job, too: its film. Videos keep their
    length, rate, size and sound; killed, the same call goes on. Pictures become PNG files.

    \b
    multitrain apply night holiday.mp4
    multitrain apply night holiday.mp4 --through-time --format prores
    multitrain apply night photos/ -o painted/
    """
    from jobs.tinkering.earlier_jobs import past_job
    from jobs.workspace.paths import Workspace
    from multitrain.applying.asked import Asked
    from multitrain.applying.inputs import Inputs

    place = Workspace(workspace.absolute())
    asked = Asked(place, past_job(place, job), **options)
    asked.check()
    form = name or format_for(None, output, asked.job.spec.format[0])
    inputs = Inputs.find(place, source)
    files = inputs.outputs(job, form, output)
    for each in inputs.left_out:
        say_aside(f"note: {each.path} is left out: it {each.reason}")
    todo = _planned(asked, files, form, force=force, makes_folder=inputs.folder is not None)
    _tell_unfinished(place, todo)
    are_made = not todo.failed
    if todo.videos or todo.pictures:
        are_made &= _make(asked, todo, gpus)
    if not are_made:
        context.exit(ExitCode.FAILED)


class _Video(NamedTuple):
    plan: VideoPlan
    output: Path
    note: str


class _ToDo(NamedTuple):
    videos: list[_Video]
    pictures: list[Picture]
    of_pictures: Course  # the weights that all pictures are made with
    failed: list[Path]  # files of a folder that cannot be used


def _planned(
    asked: Asked, files: list[File], name: FormatName, *, force: bool, makes_folder: bool
) -> _ToDo:
    """What is still to be made.

    UsageError where a file is in the way, MultitrainError where it cannot be made. Of a folder,
    the others are made; why not all are is printed.
    """
    from multitrain.applying.planning import Picture

    moments = asked.moments()
    pictures = sum(file.is_picture for file in files)
    todo, places = _ToDo([], [], asked.course(moments, pictures), []), count()
    for file in files:
        place = next(places) if file.is_picture else 0
        form = None if file.is_picture else name
        moves = file.is_picture and not todo.of_pictures.is_still
        note = asked.note(file.source, moments, form, (place, pictures) if moves else None)
        if not makes_folder or file.output.parent.is_dir():
            refuse_taken(file.output, form, asked.workspace, force=force, note=note)
        if is_there(file.output, force=force):
            continue
        if file.is_picture:
            todo.pictures.append(Picture(place, *file, note))
            continue
        try:
            todo.videos.append(
                _Video(_plan(asked, file.source, name, note, moments), file.output, note)
            )
        except MultitrainError as error:
            if not makes_folder:
                raise
            say_aside(hidden(str(error)))
            todo.failed.append(file.source)
    return todo


def _tell_unfinished(place: Workspace, todo: _ToDo) -> None:
    """A note where other calls have left pieces, for they take room until somebody goes on."""
    ours = {video.plan.folder.name for video in todo.videos}
    others = [place.applying / name for name in listing(place.applying) if name not in ours]
    files = [file for folder in others if folder.is_dir() for file in folder.iterdir()]
    if files:
        size = bytes_for_people(sum(file.stat().st_size for file in files))
        say_aside(
            f"note: {place.applying} holds {size} of videos that earlier calls have begun and that "
            "may still be gone on with; once no call works on it, what is there may be deleted"
        )


def _plan(
    asked: Asked, source: Path, name: FormatName, note: str, moments: Sequence[Moments]
) -> VideoPlan:
    from multitrain.applying.planning import VideoPlan
    from render.encoding import ffmpeg
    from render.files.film import Film
    from render.files.sound import holds_sound

    ffmpeg.find(name)
    film = Film.look(source, with_sound=True)
    course = asked.course(moments, film.frames)
    plan = VideoPlan.of(asked, course, film, name, asked.workspace.applying / note.split()[-1])
    for each in (asked.unlike(plan.size), *notes_on(name, *plan.size, film.format.fps)):
        if each:
            say_aside(f"note: {source}: {each}")
    if plan.beside.sounds and not holds_sound(name):
        say_aside(f"note: {source}: {name} holds no sound")
    return plan


def _make(asked: Asked, todo: _ToDo, gpus: str) -> bool:
    """Whether all is there now; the reasons why not are printed."""
    from multitrain.engine.session import SessionSettings
    from multitrain.inference.starting import framework_on

    with framework_on(gpus, say_aside, _load):
        from multitrain.inference.network import Device

        device = Device(asked.job, SessionSettings())
        made = [_make_video(each, device) for each in todo.videos]
        made += _make_pictures(asked, todo, device) if todo.pictures else []
    return all(made)


def _load() -> None:
    import multitrain.applying.translator  # noqa: F401 - with its framework


def _make_video(video: _Video, device: Device) -> bool:
    from multitrain.applying.making import Following, make_video

    plan, output, note = video
    film = plan.film
    try:
        with shown_frames(output.name, film.frames) as on_frames:
            left = make_video(plan, output, note, partial(Following.of, plan, device), on_frames)
    except MultitrainError as error:
        if means_full(error):
            raise
        say_aside(hidden(f"{film.path}: {error}"))
        return False
    if left:
        say_aside(hidden(f"note: {output}: {left}"))
    seconds = float(film.frames / film.format.fps)
    length = f"{film.frames} frames at {float(film.format.fps):g} fps, {seconds:.3f} s"
    click.echo(f"{output}: {length}; {plan.course.told}")
    return True


def _make_pictures(asked: Asked, todo: _ToDo, device: Device) -> Iterator[bool]:
    """Whether each is there now."""
    from multitrain.applying.making import make_pictures

    pictures = todo.pictures
    with shown_work("pictures", len(pictures), "pictures") as on_done:
        reasons = make_pictures(asked, todo.of_pictures, pictures, device)
        for number, (picture, reason) in enumerate(zip(pictures, reasons, strict=True), 1):
            if reason:
                say_aside(f"{picture.source}: {reason}")
            else:
                click.echo(picture.output)
            on_done(number)
            yield reason is None
