"""Commands for those who try things out: many jobs from few lines, and their films side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.errors import UsageError
from jobs.settings.videos import PNG
from jobs.workspace.paths import Workspace
from multitrain.commands.options import (
    LARGEST_SEED,
    Number,
    Whole,
    data_option,
    force_option,
    workspace_option,
)

if TYPE_CHECKING:
    from jobs.settings.spec import JobSpec
    from render.clips.comparison import By

# Other modules are imported by the commands that need them, so that each starts at once.

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The sheet to write."
)
seed_option = click.option(
    "--seed",
    type=Whole(0, LARGEST_SEED),
    default=0,
    show_default=True,
    help="The same one gives the same sheet.",
)


@click.command()
@click.argument("template", type=click.Path(path_type=Path))
@output_option
@click.option(
    "--count",
    type=Whole(1, 10_000),
    default=1,
    show_default=True,
    help="Jobs for each combination of grid values.",
)
@seed_option
@force_option
@workspace_option
@data_option
def generate(
    template: Path,
    output: Path,
    count: int,
    seed: int,
    force: bool,
    workspace: Path,
    pictures: Path | None,
) -> None:
    """Make a sheet of many jobs from TEMPLATE, a YAML sheet with ranges for values.

    \b
    {uniform: [0, 0.5]}          a number from 0 to 0.5
    {log_uniform: [1e-5, 1e-2]}  a number of any magnitude between
    {randint: [3, 7]}            a whole number, both bounds among them
    {choice: [relu, tanh]}       one of the values
    {grid: [1, 2, 4]}            each of the values, with each of every other grid

    Only jobs that `check` passes are made, each with a name that tells what varies.
    """
    from jobs.sheets.forms.cells import read_text
    from jobs.tinkering.templates import generate as generate_jobs

    made = generate_jobs(
        read_text(template), str(template), count, seed, Workspace(workspace.absolute(), pictures)
    )
    call = f"multitrain generate {template.name} --count {count} --seed {seed}"
    _save(output, made.specs, call, made.notes, force=force, source=template)


@click.command()
@click.argument("job")
@output_option
@click.option("--count", type=Whole(1, 1000), default=8, show_default=True, help="Jobs.")
@seed_option
@click.option(
    "--strength",
    type=Number(0, 1),
    default=0.5,
    show_default=True,
    help="How many settings change, and how far.",
)
@click.option(
    "--from-checkpoint",
    is_flag=True,
    help="Start from what JOB has learnt, as far as the networks are alike.",
)
@click.option(
    "--sheet",
    type=click.Path(path_type=Path),
    help="Take JOB from this sheet; it need not have run.",
)
@force_option
@workspace_option
@data_option
def mutate(
    job: str,
    output: Path,
    count: int,
    seed: int,
    strength: float,
    from_checkpoint: bool,
    sheet: Path | None,
    force: bool,
    workspace: Path,
    pictures: Path | None,
) -> None:
    """Make a sheet of variations of JOB, which ran here before.

    Networks, losses, optimizers and their numbers vary; pictures, grid, length, seed, video and
    farm stay, so that films can be laid side by side.
    """
    from jobs.tinkering.variations import Variations

    place = Workspace(workspace.absolute())
    parent = _job_to_vary(job, sheet, Workspace(place.root, pictures))
    specs = Variations(parent, count, seed, strength, from_checkpoint, place).specs()
    call = f"multitrain mutate {job} --count {count} --seed {seed} --strength {strength:g}"
    call += " --from-checkpoint" if from_checkpoint else ""
    call += f" --sheet {sheet.name}" if sheet else ""
    _save(output, specs, call, (), force=force, source=sheet)


@click.command()
@click.argument("jobs", metavar="JOB JOB...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("comparison.mp4"),
    show_default=True,
    help="The video to write; a .png is a picture of the last frames.",
)
@click.option(
    "--by",
    type=click.Choice(["step", "frame"]),
    default="step",
    show_default=True,
    help="What the films have in common in every frame.",
)
@click.option("--labels/--no-labels", default=True, help="The names of the jobs above their films.")
@click.option(
    "--columns",
    type=Whole(1, 1000),
    show_default="for a wide screen",
    help="Films side by side.",
)
@force_option
@workspace_option
def compare(
    jobs: Sequence[str],
    output: Path,
    by: By,
    labels: bool,
    columns: int | None,
    force: bool,
    workspace: Path,
) -> None:
    """Show the films of two or more jobs, or their timecuts so far, side by side in one video.

    All are at the same step, however long they trained; a film that ends holds its last frame.
    """
    from multitrain.commands.clips.clip_options import note_timecuts, shown_frames
    from render.clips.comparing import check_output, compare_last, find_take
    from render.clips.comparing import compare as make
    from render.clips.comparison import Comparison

    place = Workspace(workspace.absolute())
    names = tuple(dict.fromkeys(jobs))
    if len(names) < 2:
        raise UsageError(f"{names[0]} alone cannot be compared; name two jobs or more")
    check_output(place, output, force=force)
    plan = Comparison(tuple(find_take(place, name) for name in names), by, columns, labels)
    for take in plan.takes:
        note_timecuts(take.name, take.files)
    for take, seconds in plan.ends_early():
        click.echo(
            f"note: {take.name} ends {seconds:.1f} s early and holds its last frame", err=True
        )
    if output.suffix.casefold() == PNG:
        compare_last(plan, output)
    else:
        with shown_frames(output.name, plan.frames) as on_progress:
            make(plan, output, on_progress)
    click.echo(output)


def _job_to_vary(name: str, sheet: Path | None, workspace: Workspace) -> JobSpec:
    from jobs.settings.words import nearest, quoted
    from jobs.sheets.sheet import read_sheet
    from jobs.tinkering.earlier_jobs import past_job

    if sheet is None:
        return past_job(workspace, name).spec
    specs = {job.spec.name: job.spec for job in read_sheet(sheet, workspace).jobs}
    if name not in specs:
        raise UsageError(f"There is no job {quoted(name)} in {sheet}{nearest(name, specs)}")
    return specs[name]


def _save(
    output: Path,
    specs: Sequence[JobSpec],
    call: str,
    notes: Iterable[str],
    *,
    force: bool,
    source: Path | None,
) -> None:
    """Write the sheet, but not over its `source`, and print its name."""
    from jobs.tinkering.writing import save_sheet, sheet_with_defaults

    text = sheet_with_defaults(specs, [f"Made by: {call}"])
    save_sheet(output, text, force=force, source=source)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    jobs = "1 job" if len(specs) == 1 else f"{len(specs)} jobs"
    click.echo(f"{output}: {jobs}")
