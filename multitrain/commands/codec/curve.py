"""`multitrain codec curve`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from multitrain.commands.clips.clip_options import gpus_option, refuse_taken, scale_option
from multitrain.commands.codec.encode import asked_to_code, load
from multitrain.commands.datasets.common import json_option
from multitrain.commands.long_work import say_aside, shown_work
from multitrain.commands.options import Whole, force_option, step_option, workspace_option

if TYPE_CHECKING:
    from multitrain.codec.baselines import Frames
    from multitrain.codec.points import Point
    from multitrain.weights.moments import Wanted
    from render.files.film import Film

# Other modules are imported when needed, so that a wrong call is reported at once.

FRAMES = 120


@click.command("curve")
@click.argument("job")
@click.argument("video", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--frames", type=Whole(1, 10_000), default=FRAMES, show_default=True, help="The first ones."
)
@click.option(
    "--stream",
    "streams",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Also what was sent of VIDEO while a network learned; several times for several.",
)
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="A PNG to draw.")
@json_option
@step_option
@scale_option
@gpus_option
@force_option
@workspace_option
def command(
    job: str,
    video: Path,
    frames: int,
    streams: tuple[Path, ...],
    plot: Path | None,
    as_json: bool,
    step: Wanted,
    scale: Resolution | None,
    gpus: str,
    force: bool,
    workspace: Path,
) -> None:
    """Compare the autoencoder JOB with plain codecs on VIDEO, by bytes and quality.

    Of a network with a variable rate, several numbers of channels. Bytes are all that is stored,
    the decoder's weights included.

    \b
    multitrain codec curve tiny holiday.mp4
    multitrain codec curve tiny holiday.mp4 --plot curve.png
    multitrain codec curve tiny holiday.mp4 --stream renders/online.mtc
    """
    from jobs.workspace.paths import Workspace
    from multitrain.codec import points
    from multitrain.codec.baselines import BASELINES
    from multitrain.inference.starting import framework_on
    from render.encoding import ffmpeg

    place = Workspace(workspace.absolute())
    if plot:
        if plot.suffix.casefold() != ".png":
            raise UsageError(f"{plot} must end in .png, as a picture does")
        refuse_taken(plot, None, place, force=force)
        points.require_matplotlib()
    asked, film, facts = asked_to_code(place, job, video, step, scale, None)
    ffmpeg.find()
    with framework_on(gpus, say_aside, load):
        from multitrain.codec.curve import Measure, rates
        from multitrain.engine.session import SessionSettings
        from multitrain.inference.network import Device

        spec, (moments,) = facts.job.spec, asked.moments()
        channels = rates(spec.latent_channels, is_variable=spec.variable_rate)
        total = len(channels) + len(streams) + sum(len(each.settings) for each in BASELINES)
        with shown_work(video.name, total, "settings") as on_settings:
            done = iter(range(1, total + 1))
            device = Device(facts.job, SessionSettings())
            measure = Measure(device, _first(film, frames, scale), lambda: on_settings(next(done)))
            found = [
                *measure.network(facts, moments.load(0), channels),
                *map(measure.stream, streams),
                *measure.baselines(facts),
            ]
    if plot:
        from render.files.claims import making

        with making(plot) as part:
            points.plot(found, f"{video.name}, {facts.size}, {job} at {moments.told}", part)
        say_aside(str(plot))
    if as_json:
        click.echo(json.dumps([each._asdict() for each in found], indent=2))
    else:
        click.echo("\n".join(_lines(found, job)))


def _first(film: Film, count: int, scale: Resolution | None) -> Frames:
    import numpy as np

    from render.files.reading import FilmReader, frames_in_order

    with FilmReader([film], scale=scale) as reader:
        return np.stack([each[..., :3] for each in islice(frames_in_order(reader), count)])


def _lines(found: Sequence[Point], job: str) -> Iterator[str]:
    """The table; then what plain codecs have at as many bytes as the network."""
    from multitrain.codec.points import curves, psnr_at

    heads = f"{'bytes a frame':>14}{'PSNR, dB':>10}{'MS-SSIM':>9}{'MAE':>8}"
    yield f"{'codec':<12}{'setting':<14}{heads}"
    for each in found:
        numbers = f"{each.bytes:>14,.0f}{each.psnr:>10.2f}{each.ms_ssim:>9.3f}{each.mae:>8.4f}"
        yield f"{each.codec:<12.11}{each.setting:<14}{numbers}"
    by_codec = curves(found)
    for each in by_codec.pop(job):
        at = {codec: psnr_at(curve, each.bytes) for codec, curve in by_codec.items()}
        told = [f"{codec} {psnr:.2f}" for codec, psnr in at.items() if psnr is not None]
        if told:
            yield f"at {each.bytes:,.0f} bytes, {job} has {each.psnr:.2f} dB, {', '.join(told)}"
