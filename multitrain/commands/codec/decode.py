"""`multitrain codec decode`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.errors import ExitCode, UsageError
from jobs.settings.bounds import LARGEST
from jobs.settings.videos import FormatName
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.clip_options import (
    format_for,
    format_option_of,
    gpus_option,
    output_for,
    output_option,
    shown_frames,
)
from multitrain.commands.codec.encode import autoencoder, load, refuse_source
from multitrain.commands.long_work import say_aside
from multitrain.commands.options import Whole, force_option, workspace_option

if TYPE_CHECKING:
    from jobs.workspace.jobfile import JobFile
    from multitrain.engine.session import State

# Other modules are imported when needed, so that a wrong call is reported at once.

MOST_TOLD = 10  # troubles


class Share(click.ParamType[float]):
    """`5%`, or 0.05."""

    name = "share"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number, percent, _ = str(value).strip().partition("%")
        try:
            share = float(number) / (100 if percent else 1)
        except ValueError:
            self.fail(f"{value!r} is no share such as 5%", param, ctx)
        if not 0 <= share <= 1:
            self.fail(f"{value}: a share is from 0% to 100%", param, ctx)
        return share


@click.command("decode")
@click.argument("stream", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option
@format_option_of("h264")
@click.option(
    "--with", "other", metavar="JOB", help="Decode by the weights of another autoencoder."
)
@click.option(
    "--lose",
    type=Share(),
    default=0.0,
    metavar="SHARE",
    help="So many packets do not arrive: 5%, say.",
)
@click.option("--seed", type=Whole(0, LARGEST), default=0, help="Of which ones are lost.")
@gpus_option
@force_option
@workspace_option
@click.pass_context
def command(
    context: click.Context,
    stream: Path,
    output: Path | None,
    name: FormatName | None,
    other: str | None,
    lose: float,
    seed: int,
    gpus: str,
    force: bool,
    workspace: Path,
) -> None:
    """Make a video of STREAM again, and say what of it was lost or damaged.

    \b
    multitrain codec decode holiday.mtc
    multitrain codec decode holiday.mtc --with faces -o holiday_as_faces.mp4
    multitrain codec decode holiday.mtc --lose 5%
    """
    from multitrain.codec.files import Decoding, look, rehearse
    from multitrain.inference.starting import framework_on
    from render.encoding import ffmpeg

    place, form = Workspace(workspace.absolute()), format_for(name, output, "h264")
    title = f"{stream.stem}_decoded" + (f"_by_{other}" if other else "")
    target = output_for(output, title, form, place, force=force)
    refuse_source(target, stream)
    found = look(stream)
    memory = _memory(place, other, found.facts.job) if other else None
    frames = rehearse(stream, Decoding(None, lose, seed), has_memory=memory is not None)
    ffmpeg.find(form)
    with framework_on(gpus, say_aside, load):
        from multitrain.codec.coding import Coding
        from multitrain.codec.files import decode
        from multitrain.engine.session import SessionSettings
        from multitrain.inference.network import Device

        coding = Coding(found.facts, Device(found.facts.job, SessionSettings()))
        weights = coding.weights_of_decoder(memory) if memory else None
        with shown_frames(target.name, frames) as on_frames:
            how = Decoding(weights, lose, seed)
            troubles = decode(stream, coding, how, frames, target, form, on_frames)
    if lose:
        click.echo(f"note: {len(troubles)} mishaps, as --lose {lose:.3g} makes them", err=True)
        troubles = found.troubles
    for told in troubles[:MOST_TOLD]:
        click.echo(f"note: {stream}: {told}", err=True)
    if (more := len(troubles) - MOST_TOLD) > 0:
        click.echo(f"note: {stream}: and {more} more", err=True)
    click.echo(target)
    if troubles:
        context.exit(ExitCode.FAILED)


def _memory(place: Workspace, job: str, sent_by: JobFile) -> State:
    """The newest weights of another autoencoder. UsageError where it is built otherwise."""
    from multitrain.codec.facts import unlike
    from multitrain.weights.moments import at_step

    spec = autoencoder(place, job).spec
    if reason := unlike(spec, sent_by.spec):
        raise UsageError(reason)
    return at_step(place.job(job), spec.family, None).load(0)
