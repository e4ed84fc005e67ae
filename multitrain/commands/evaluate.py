"""`multitrain evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.errors import ExitCode, UsageError
from jobs.settings.words import with_article
from multitrain.commands.long_work import say_aside, shown_work
from multitrain.commands.options import Number, Whole, force_option, step_option, workspace_option
from multitrain.networks.quality import Quality

if TYPE_CHECKING:
    from jobs.workspace.paths import Workspace
    from multitrain.applying.asked import Asked
    from multitrain.applying.inputs import File
    from multitrain.applying.measuring import Measured

# Other modules are imported when needed, so that a wrong call is reported at once.

DECIMALS = {"psnr_y": 2, "psnr_rgb": 2}  # of dB; the other measures are from 0 to 1
HEADS = {
    "psnr_y": "PSNR Y",
    "psnr_rgb": "PSNR RGB",
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "perceptual": "perceptual",
}
MOST_SHAVED = 64


@click.command("evaluate")
@click.argument("job")
@click.argument("source", metavar="PICTURES", type=click.Path(exists=True, path_type=Path))
@step_option
@click.option("--stage", metavar="NAME", help="As of apply.")
@click.option("--strength", type=Number(0, 1), default=1.0, show_default=True, help="As of apply.")
@click.option("--keep-colours", is_flag=True, help="As of apply.")
@click.option("--ensemble", is_flag=True, help="As of apply.")
@click.option(
    "--shave",
    type=Whole(0, MOST_SHAVED),
    help="Pixels at each edge that do not count.",
    show_default="the job's scale",
)
@click.option(
    "-o",
    "--diff",
    type=click.Path(path_type=Path),
    help="Pictures of the differences, grey where there is none: a folder, of one picture a file.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
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
    source: Path,
    shave: int | None,
    diff: Path | None,
    as_json: bool,
    gpus: str,
    force: bool,
    workspace: Path,
    **options: Any,
) -> None:
    """Measure how well JOB, a superres or ppon, enlarges: PICTURES, one or a folder of them.

    Each is made low as the job's sheet says, enlarged, and compared with itself. Beside each figure
    stands what bicubic scaling comes to.

    \b
    multitrain evaluate sharp photos/test
    multitrain evaluate sharp photos/test --diff differences --json
    """
    from jobs.tinkering.earlier_jobs import past_job
    from jobs.workspace.paths import Workspace
    from multitrain.applying.asked import Asked

    place = Workspace(workspace.absolute())
    asked = Asked(place, past_job(place, job), **options)
    asked.check()
    _check_measurable(asked)
    files = _files(place, source, job, diff)
    if diff is not None:
        _check_outputs(files, force=force)
    measured = _measure(asked, files, shave, gpus, differs=diff is not None)
    if not measured:
        context.exit(ExitCode.FAILED)
    _tell(measured, source, as_json=as_json)
    if len(measured) < len(files):
        context.exit(ExitCode.FAILED)


def _check_measurable(asked: Asked) -> None:
    """UsageError where nothing says how low pictures are made for the job's network."""
    name, spec = asked.job.spec.name, asked.job.spec
    if not asked.application.restores:
        raise UsageError(
            f"{name} is {with_article(spec.family)}, and only what enlarges pictures can be "
            "measured by them; look at what it makes with apply"
        )
    if spec.inputs:
        raise UsageError(
            f"{name} learns of pairs, and nothing says how low pictures are made of others; "
            "measure a job that has dataset"
        )
    if any(feed.codec for feed in asked.job.feeds):
        raise UsageError(
            f"{name} learns of what a video keeps, and single pictures are none; name its "
            "validation, which is measured while it trains"
        )


def _files(place: Workspace, source: Path, job: str, diff: Path | None) -> Sequence[File]:
    """The pictures, by name, each with where its difference goes. UsageError where there are none,
    or where a difference would replace one of them.
    """
    from multitrain.applying.inputs import Inputs

    inputs = Inputs.find(place, str(source))
    for each in inputs.left_out:
        say_aside(f"note: {each.path} is left out: it {each.reason}")
    every = inputs.outputs(job, "png", diff)
    files = [each for each in every if each.is_picture]
    if not files:
        raise UsageError(f"{source} holds no pictures; frames of videos are taken by extract")
    return files


def _check_outputs(files: Sequence[File], *, force: bool) -> None:
    """UsageError where differences cannot be written, or would replace a file."""
    from multitrain.commands.clips.clip_options import refuse_closed

    taken = next((each.output for each in files if each.output.exists()), None)
    if taken and not force:
        raise UsageError(f"{taken} is there already; name another --diff, or --force to replace it")
    for folder in {each.output.parent for each in files}:
        refuse_closed(folder)


def _measure(
    asked: Asked, files: Sequence[File], shave: int | None, gpus: str, *, differs: bool
) -> Sequence[Measured]:
    from jobs.pictures.finding import UnreadablePicture, probe
    from multitrain.engine.session import SessionSettings
    from multitrain.inference.starting import framework_on

    def size(path: Path) -> tuple[int, int]:
        """A network is built for each size: those of one are measured together."""
        try:
            return probe(path)
        except UnreadablePicture:
            return (0, 0)

    paths = sorted((each.source for each in files), key=size)
    with framework_on(gpus, say_aside, _load):
        from multitrain.applying.making import Networks
        from multitrain.applying.measuring import Measure, measured, save_difference
        from multitrain.inference.network import Device

        outputs = {each.source: each.output for each in files}

        def save(path: Path, made: Any, wanted: Any) -> None:
            save_difference(outputs[path], made, wanted)

        course = asked.course(asked.moments(), len(paths))
        device = Device(asked.job, SessionSettings())
        networks, measure = Networks(asked, device), Measure.of(asked, shave)
        rows = measured(measure, course, paths, networks, save if differs else None)
        found = list(_shown(rows, len(paths)))
    return sorted(found, key=lambda each: each.path)


def _load() -> None:
    import multitrain.applying.measuring  # noqa: F401 - with its framework


def _shown(rows: Iterator[Any], total: int) -> Iterator[Measured]:
    """Those that could be measured; why others could not is told."""
    from jobs.pictures.finding import Unreadable

    with shown_work("pictures", total, "pictures") as on_done:
        for number, each in enumerate(rows, 1):
            if isinstance(each, Unreadable):
                say_aside(f"{each.path}: {each.reason}")
            else:
                yield each
            on_done(number)


def _tell(measured: Sequence[Measured], source: Path, *, as_json: bool) -> None:
    own, bicubic = _means(measured)
    if as_json:
        pictures = [
            {
                "picture": str(each.path),
                "own": each.own._asdict(),
                "bicubic": each.bicubic._asdict(),
            }
            for each in measured
        ]
        whole = {"pictures": pictures, "own": own._asdict(), "bicubic": bicubic._asdict()}
        click.echo(json.dumps(whole, indent=2))
        return
    from rich.table import Table

    from multitrain.commands.sheets import output_console

    kinds = [name for name, value in own._asdict().items() if value is not None]
    table = Table(box=None, pad_edge=False)
    table.add_column("picture", overflow="fold")
    for kind in kinds:
        table.add_column(HEADS[kind], justify="right")
        table.add_column("bicubic", justify="right", style="dim")
    inside = source if source.is_dir() else source.parent
    rows = [(str(each.path.relative_to(inside)), each.own, each.bicubic) for each in measured]
    rows += [("mean", own, bicubic)] if len(measured) > 1 else []
    for name, ours, plain in rows:
        cells = [_told(kind, each) for kind in kinds for each in (ours, plain)]
        table.add_row(name, *cells)
    output_console().print(table, highlight=False, markup=False)


def _means(measured: Sequence[Measured]) -> tuple[Quality, Quality]:
    return Quality.mean([each.own for each in measured]), Quality.mean(
        [each.bicubic for each in measured]
    )


def _told(kind: str, quality: Quality) -> str:
    return f"{getattr(quality, kind):.{DECIMALS.get(kind, 4)}f}"
