"""`multitrain walk`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.settings.loops import WalkSettings
from jobs.settings.videos import FormatName, for_loops, notes_on_loop
from multitrain.commands.clips.clip_options import (
    format_for,
    format_option,
    gpus_option,
    is_there,
    length_options,
    loop_option,
    output_for,
    output_option,
    refuse_taken,
    scale_option,
    scale_with_option,
    shown_frames,
    told_drift,
)
from multitrain.commands.clips.song_options import (
    check_plot,
    refuse_own,
    song_options,
    tell_heard,
    walk_settings,
)
from multitrain.commands.long_work import say_aside
from multitrain.commands.options import force_option, workspace_option

if TYPE_CHECKING:
    from multitrain.applying.enlarging import Enlarging
    from multitrain.walking.making import WalkPlan
    from multitrain.weights.moments import Moments

# Other modules are imported when needed, so that a wrong call is reported at once.


@click.command("walk")
@click.argument("job")
@length_options
@loop_option("walk", "fps", "Frames per second of the walk.", show_default="the job's")
@loop_option("walk", "keyframes", "Latents on the way; more in the same time go faster.")
@loop_option("walk", "seed")
@loop_option(
    "walk",
    "path",
    "Between keyframes: every picture as likely as in training, or calmer ones.",
)
@loop_option(
    "walk",
    "grid",
    "Samples, columns x rows; each goes a way of its own.",
    show_default="the job's",
)
@loop_option("walk", "checkpoint", "Of the training.", metavar="STEP", show_default="the newest")
@loop_option("walk", "through_time")
@song_options
@format_option
@scale_option
@loop_option("walk", "crop")
@scale_with_option
@gpus_option
@output_option
@force_option
@workspace_option
def command(
    job: str,
    name: FormatName | None,
    scale_with: str | None,
    gpus: str,
    output: Path | None,
    force: bool,
    workspace: Path,
    plot: Path | None,
    **options: Any,
) -> None:
    """Draw a loop with the network that JOB has trained: a closed way through its latents.

    To a --song, it arrives somewhere every few beats, and is no loop unless it is --closed.

    \b
    multitrain walk night --beats 32 --bpm 128
    multitrain walk night --seconds 20 --grid 1x1 --scale 1080p --format hap
    multitrain walk night --seconds 30 --through-time
    multitrain walk night --song track.mp3 --from 0:30 --to 1:30
    """
    from jobs.tinkering.earlier_jobs import past_job
    from jobs.workspace.paths import Workspace
    from multitrain.applying.enlarging import Enlarging
    from multitrain.walking.making import WalkPlan
    from multitrain.weights.moments import moments_of
    from render.clips.asked import asked_for
    from render.encoding import ffmpeg

    way = walk_settings(**options)
    place = Workspace(workspace.absolute())
    file = past_job(place, job)
    form = name or for_loops(format_for(None, output, file.spec.format[0]))
    plan = WalkPlan(file, way, form)
    plan.check()
    closed = way.song is None or way.song.closed
    larger = Enlarging.by(place, scale_with, form, closed=closed) if scale_with else None
    title = _title(job, way) + (f"_{scale_with}" if scale_with else "")
    film = output_for(output, title, plan.name, place, force=True)
    moments = moments_of(place.job(job), file.spec, way)
    facts = (file.text, way, plan.name)
    sources = plan.sources(moments)
    note = larger.note(sources, *facts) if larger else asked_for(sources, *facts)
    refuse_taken(film, plan.name, place, force=force, note=note)
    check_plot(plot, place, force=force)
    refuse_own(film, way.song, plot)
    if is_there(film, force=force):
        if plot:
            say_aside(f"{plot} is not drawn, since no walk is; --force draws both")
        return
    ffmpeg.find(plan.name)
    if way.song and plan.heard and plan.song_path:
        tell_heard(plan.heard, way.song, plan.song_path, plan.fps, plot)
    if larger:
        _draw_larger(plan, moments, larger, film, gpus, note)
        return
    _draw(plan, moments, film, gpus, note)
    _tell(plan, moments, film)


def _title(job: str, way: WalkSettings) -> str:
    """The name of the output; a walk through the training gets another name."""
    kind = "walk_through_time" if way.through_time else "walk"
    told = way.song or way.duration
    assert told, "a walk has a length, or a song"
    return f"{job}_{kind}_{told.label}"


def _draw(plan: WalkPlan, moments: Moments, film: Path, gpus: str, note: str) -> None:
    from multitrain.engine.session import SessionSettings
    from multitrain.inference.starting import framework_on
    from multitrain.walking.making import make_walk

    with framework_on(gpus, say_aside, _load), shown_frames(film.name, plan.frames) as on_progress:
        settings, stop = SessionSettings(), threading.Event()
        make_walk(plan, moments, film, on_progress, settings, stop, note=note)


def _draw_larger(
    plan: WalkPlan, moments: Moments, larger: Enlarging, film: Path, gpus: str, note: str
) -> None:
    """Draw the walk without loss, and have another job's network enlarge it."""
    from multitrain.commands.clips.apply import framework_on_device
    from multitrain.commands.clips.enlarge import enlarge
    from multitrain.engine.session import SessionSettings
    from multitrain.walking.making import make_walk

    plain = plan.without_loss

    def draw(clip: Path) -> None:
        with shown_frames(f"{film.name}, before", plan.frames) as on_progress:
            make_walk(plain, moments, clip, on_progress, SessionSettings(), threading.Event())

    with framework_on_device(gpus):
        enlarge(larger, draw, film, note)


def _load() -> None:
    import multitrain.walking.sampler  # noqa: F401 - with its framework


def _tell(plan: WalkPlan, moments: Moments, film: Path) -> None:
    frames, drift = plan.length
    length = f"{frames} frames at {plan.fps} fps, {frames / plan.fps:.3f} s{told_drift(drift)}"
    back = ", and back" if plan.settings.through_time else ""
    click.echo(f"{film}: {length}; {moments.told}{back}")
    if plan.framed.told:
        click.echo(plan.framed.told)
    if plan.settings.song and not plan.soundtrack:
        click.echo(f"{plan.name} holds no sound")
    asked = plan.settings.fps or plan.job.spec.fps
    for note in notes_on_loop(plan.name, *plan.framed.size, asked):
        click.echo(note)
