"""`multitrain walk`."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from jobs.errors import UsageError
from jobs.kinds import Resolution
from jobs.loops import PathName, WalkSettings
from jobs.videos import FormatName
from multitrain.cli_options import force_option, workspace_option
from multitrain.clip_commands.clip_options import (
    SizeType,
    crop_option,
    duration_of,
    format_for,
    format_option,
    length_options,
    output_for,
    output_option,
    scale_option,
    shown_frames,
)

if TYPE_CHECKING:
    from multitrain.walking.making import WalkPlan
    from multitrain.walking.weights import Moments

# The rest is imported when it is needed, so that a wrong call is told at once.

STDERR = 2  # its descriptor


@click.command("walk")
@click.argument("job")
@length_options
@click.option("--fps", type=click.IntRange(1, 240), show_default="the job's", help="Of the walk.")
@click.option(
    "--keyframes",
    type=click.IntRange(2, 10_000),
    default=8,
    show_default=True,
    help="Latents on the way; more of them in the same time go faster.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Of these latents.",
)
@click.option(
    "--path",
    type=click.Choice(get_args(PathName)),
    default="spherical",
    show_default=True,
    help="Between keyframes: every picture as likely as in training, or calmer ones.",
)
@click.option(
    "--grid",
    type=SizeType(largest=1000),
    show_default="the job's",
    help="Samples, columns x rows; each goes a way of its own.",
)
@click.option(
    "--checkpoint", type=click.IntRange(0), metavar="STEP", help="Of the training; else the newest."
)
@click.option(
    "--through-time",
    is_flag=True,
    help="Through all that keep_checkpoints kept, too, and back.",
)
@format_option
@scale_option
@crop_option
@click.option(
    "--gpus", default="auto", show_default=True, help="auto, cpu, or GPUs such as 0: one is taken."
)
@output_option
@force_option
@workspace_option
def command(
    job: str,
    seconds: float | None,
    frames: int | None,
    beats: float | None,
    bpm: float | None,
    fps: int | None,
    keyframes: int,
    seed: int,
    path: PathName,
    grid: Resolution | None,
    checkpoint: int | None,
    through_time: bool,
    name: FormatName | None,
    scale: Resolution | None,
    crop: Resolution | None,
    gpus: str,
    output: Path | None,
    force: bool,
    workspace: Path,
) -> None:
    """Draw a loop with the network that JOB has trained: a closed way through its latents.

    \b
    multitrain walk night --beats 32 --bpm 128
    multitrain walk night --seconds 20 --grid 1x1 --scale 1080p --format hap
    multitrain walk night --seconds 30 --through-time
    """
    from jobs.paths import Workspace
    from jobs.tinkering.earlier_jobs import past_job
    from multitrain.walking.making import WalkPlan
    from multitrain.walking.weights import moments_of
    from render import ffmpeg

    duration = duration_of(seconds, frames, beats, bpm)
    if duration is None:
        raise UsageError("how long is the walk to be? --seconds, --frames, or --beats with --bpm")
    place = Workspace(workspace.absolute())
    file = past_job(place, job)
    form = format_for(name, output, file.spec.format[0])
    way = WalkSettings(
        duration, keyframes, seed, fps, grid, checkpoint, through_time, path, scale, crop
    )
    plan = WalkPlan(file, way, form)
    plan.check()
    film = output_for(output, f"{job}_walk", form, place, force=force)
    moments = moments_of(place.job(job), file.spec.family, way)
    ffmpeg.find(form)
    _draw(plan, moments, film, gpus)
    _tell(plan, moments, film)


def _draw(plan: WalkPlan, moments: Moments, film: Path, gpus: str) -> None:
    from multitrain.engine.session import SessionSettings
    from multitrain.walking.device import leased_device
    from multitrain.walking.making import make_walk

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # which takes ffmpeg along
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what matters is raised as well
    for chatty in ("tensorflow", "absl", "h5py"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with leased_device(gpus, _note):
        with _hushed():
            import multitrain.walking.sampler  # noqa: F401 - with its framework
        with shown_frames(film.name, plan.frames) as told:
            make_walk(plan, moments, film, told, SessionSettings(), threading.Event())


@contextmanager
def _hushed() -> Iterator[None]:
    """Meanwhile nothing is seen of what libraries write to stderr by themselves."""
    try:
        shown = os.dup(STDERR)
    except OSError:  # it is closed
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, STDERR)
        os.close(nowhere)
        yield
    finally:
        os.dup2(shown, STDERR)
        os.close(shown)


def _tell(plan: WalkPlan, moments: Moments, film: Path) -> None:
    frames, drift = plan.length
    drifted = f", {float(drift) * 1000:+.1f} ms beside what was asked" if drift else ""
    click.echo(f"{film}: {frames} frames, {frames / plan.fps:.3f} s{drifted}; {moments.told}")
    if plan.framed.told:
        click.echo(plan.framed.told)


def _note(line: str) -> None:
    click.echo(line, err=True)
