"""`multitrain codec encode`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.errors import UsageError
from jobs.settings.bounds import LARGEST
from jobs.settings.kinds import Resolution
from jobs.units import bytes_for_people
from multitrain.commands.clips.clip_options import (
    gpus_option,
    output_option,
    refuse_taken,
    scale_option,
    shown_frames,
)
from multitrain.commands.long_work import say_aside
from multitrain.commands.options import Whole, force_option, step_option, workspace_option

if TYPE_CHECKING:
    from jobs.workspace.jobfile import JobFile
    from jobs.workspace.paths import Workspace
    from multitrain.applying.asked import Asked
    from multitrain.codec.facts import Facts
    from multitrain.weights.moments import Wanted
    from render.files.film import Film

# Other modules are imported when needed, so that a wrong call is reported at once.

SUFFIX = ".mtc"
KEY_EVERY = 250  # frames: ten seconds of most videos, as x264 has it


@click.command("encode")
@click.argument("job")
@click.argument("video", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option
@step_option
@click.option(
    "--channels",
    type=Whole(1, 256),
    help="Only the first so many latent channels are sent.",
    show_default="all",
)
@click.option(
    "--key-every",
    type=Whole(0, LARGEST),
    default=KEY_EVERY,
    show_default=True,
    help="Each so many frames, one that nothing is remembered of, and the decoder's weights once "
    "more: whoever has lost something, or comes late, goes on there. 0: the first one alone.",
)
@scale_option
@gpus_option
@force_option
@workspace_option
def command(
    job: str,
    video: Path,
    output: Path | None,
    step: Wanted,
    channels: int | None,
    key_every: int,
    scale: Resolution | None,
    gpus: str,
    force: bool,
    workspace: Path,
) -> None:
    """Write VIDEO as a stream of what the autoencoder JOB makes of it, without its sound.

    \b
    multitrain codec encode tiny holiday.mp4
    multitrain codec encode tiny holiday.mp4 --channels 4 -o holiday_4.mtc
    """
    from jobs.workspace.paths import Workspace
    from multitrain.inference.starting import framework_on

    place = Workspace(workspace.absolute())
    target = output or Path(f"{video.stem}_{job}{SUFFIX}")
    if target.suffix != SUFFIX:
        raise UsageError(f"{target} must end in {SUFFIX}, as a stream does")
    refuse_source(target, video)
    refuse_taken(target, None, place, force=force)
    asked, film, facts = asked_to_code(place, job, video, step, scale, channels)
    (moments,) = asked.moments()
    with framework_on(gpus, say_aside, load):
        from multitrain.codec.coding import Coding
        from multitrain.codec.files import encode
        from multitrain.engine.session import SessionSettings
        from multitrain.inference.network import Device

        coding = Coding(facts, Device(facts.job, SessionSettings()))
        with shown_frames(target.name, film.frames) as on_frames:
            weights = moments.load(0)
            made = encode(film, facts, coding, weights, target, on_frames, scale, key_every)
    size = bytes_for_people(target.stat().st_size)
    click.echo(
        f"{target}: {film.frames} frames of {facts.size}, {size}, "
        f"{made.bytes_per_frame:,.0f} bytes a frame, {made.ratio:.1f} times smaller than they are; "
        f"{moments.told}"
    )


def refuse_source(target: Path, source: Path) -> None:
    """UsageError where a file would be replaced by what is made of it, or may be read only once."""
    if not source.is_file():
        raise UsageError(f"{source} is no file; write it to one first")
    if target.exists() and target.samefile(source):
        raise UsageError(f"{source} would be replaced by what is made of it; name another -o")


def asked_to_code(
    place: Workspace,
    job: str,
    video: Path,
    step: Wanted,
    scale: Resolution | None,
    channels: int | None,
) -> tuple[Asked, Film, Facts]:
    """A job that is to code a video. UsageError where it cannot; MultitrainErrors."""
    from multitrain.applying.asked import Asked
    from multitrain.codec.facts import FINEST_RATE, Facts
    from render.files.film import Film

    coder = autoencoder(place, job)
    asked = Asked(place, coder, step, scale=scale, channels=channels)
    asked.check()
    film = Film.look(video, with_sound=True)
    size = scale or film.size
    if min(size) < asked.least_side:
        raise UsageError(f"{video} is {size}, and {job} takes {asked.least_side} pixels a side")
    sent = channels or coder.spec.latent_channels
    fps = film.format.fps.limit_denominator(FINEST_RATE)
    return asked, film, Facts(coder, size, fps, sent)


def autoencoder(place: Workspace, job: str) -> JobFile:
    """A job whose networks code. UsageError for others."""
    from jobs.families.table import family_of
    from jobs.settings.words import with_article
    from jobs.tinkering.earlier_jobs import past_job

    found = past_job(place, job)
    application = family_of(found.spec).application
    if application and application.rates(found.spec):
        return found
    raise UsageError(
        f"{job} is {with_article(found.spec.family)}, which codes nothing; name an autoencoder"
    )


def load() -> None:
    """Import the framework."""
    import multitrain.codec.coding  # noqa: F401 - with its framework
