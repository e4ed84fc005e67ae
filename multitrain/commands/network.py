"""`multitrain network`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.settings.kinds import Resolution
from multitrain.commands.clips.clip_options import SizeType, output_option
from multitrain.commands.options import force_option, step_option, workspace_option
from multitrain.portable.formats import NAMES, Format

if TYPE_CHECKING:
    from multitrain.portable.asked import Asked
    from multitrain.weights.moments import Moments, Wanted

# Other modules are imported when needed, so that a wrong call is reported at once.


@click.command("network")
@click.argument("job")
@click.option(
    "--format",
    "name",
    type=click.Choice(NAMES),
    show_default="that of -o, else keras",
    help="The kind of file.",
)
@step_option
@click.option(
    "--network",
    "which",
    metavar="NAME",
    help="Such as generator_back, which makes inputs of targets.",
    show_default="the one that draws the pictures",
)
@click.option("--size", type=SizeType(), help="Of pictures that it is given: just this one.")
@output_option
@force_option
@workspace_option
def command(
    job: str,
    name: Format | None,
    step: Wanted,
    which: str | None,
    size: Resolution | None,
    output: Path | None,
    force: bool,
    workspace: Path,
) -> None:
    """Write the network that JOB has trained as a file that needs nothing of multitrain.

    Keras loads .keras and .h5, TensorFlow a SavedModel, any runtime of ONNX .onnx. What goes in and
    what comes out is told, and stands in the file as well.

    \b
    multitrain network night
    multitrain network night --format onnx --step 4000
    multitrain network night --format savedmodel --size 1280x720 -o night_720p
    """
    from jobs.tinkering.earlier_jobs import past_job
    from jobs.workspace.paths import Workspace
    from multitrain.portable.asked import Asked
    from multitrain.portable.formats import check_installed, format_for, output_for

    place = Workspace(workspace.absolute())
    form = format_for(name, output)
    asked = Asked(place, past_job(place, job), form, which, step, size)
    asked.check()
    check_installed(form)
    file = output_for(form, output, asked.title, place.renders, force=force)
    moments = asked.moments()
    about = "\n".join(asked.told(moments))
    _write(asked, moments, about, file)
    click.echo(f"{file}: {about}")


def _write(asked: Asked, moments: Moments, about: str, file: Path) -> None:
    from multitrain.inference.starting import framework_on

    # Any device does: nothing is computed but the file.
    with framework_on("cpu", lambda _: None, _load):
        from multitrain.portable.plain import plain_network
        from multitrain.portable.writing import write

        write(asked.form, plain_network(asked, moments.load(0)), about, file)


def _load() -> None:
    import multitrain.portable.plain
    import multitrain.portable.writing  # noqa: F401 - with its framework
