"""`multitrain evolve`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from jobs.errors import ExitCode, UsageError
from jobs.settings.words import with_article
from jobs.workspace.paths import Workspace
from multitrain.commands.long_work import say_aside
from multitrain.commands.options import LARGEST_SEED, Whole, gpus_option, workspace_option

if TYPE_CHECKING:
    from jobs.families.superres.evolution import Breeding
    from jobs.families.superres.genomes import Genome
    from jobs.settings.spec import JobSpec

# Other modules are imported when needed, so that a wrong call is reported at once.

MOST_SHOWN = 10  # of the best ones, at the end
MEASURE = "psnr"


class Bred(NamedTuple):
    """A genome, its job, and how good that was in the end: PSNR in dB; None: it came to none."""

    genome: Genome
    name: str
    fitness: float | None


@click.command("evolve")
@click.argument("template", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--population", type=Whole(2, 1000), default=25, show_default=True, help="In a generation."
)
@click.option(
    "--survivors",
    type=Whole(1, 1000),
    default=5,
    show_default=True,
    help="The best ones so far, which have children.",
)
@click.option("--generations", type=Whole(1, 1000), default=10, show_default=True)
@click.option(
    "--most-parameters", type=Whole(1, 10**9), help="Weights of one.", show_default="any number"
)
@click.option(
    "--seed", type=Whole(0, LARGEST_SEED), default=0, show_default=True, help="Breeds the same."
)
@gpus_option
@workspace_option
@click.pass_context
def command(
    context: click.Context,
    template: Path,
    population: int,
    survivors: int,
    generations: int,
    most_parameters: int | None,
    seed: int,
    gpus: str,
    workspace: Path,
) -> None:
    """Breed networks that enlarge, by the one job of TEMPLATE, a superres with validation.

    Each individual is a job of a sheet, one sheet for each generation, trained for as many steps as
    any other; how good it is says the PSNR of the pictures of validation. The best ones so far have
    children. Stopped or killed, the same call goes on. In the end, the best one is a sheet.

    \b
    multitrain evolve sharp.yaml --population 6 --survivors 2 --generations 3
    """
    from jobs.families.superres.evolution import Breeding

    place = Workspace(workspace.absolute())
    parent = _template(template, place)
    breeding = Breeding(
        parent, template.stem, population, min(survivors, population), seed, most_parameters
    )
    all_of_them: list[Bred] = []
    for number in range(1, generations + 1):
        genomes = _generation(breeding, number, all_of_them, template, place)
        if not genomes and number == 1:
            raise UsageError("no network is so small; raise --most-parameters")
        if not genomes:
            say_aside(f"note: generation {number} has nobody new; raise --most-parameters")
            break
        _train(context, _sheet_of(template, number), gpus, workspace)
        names = [breeding.name_of(number, each) for each in range(1, len(genomes) + 1)]
        bred = [
            Bred(genome, name, _fitness(place, name))
            for genome, name in zip(genomes, names, strict=True)
        ]
        all_of_them += bred
        _tell(f"generation {number}", bred, breeding)
    best = _ranked(all_of_them)
    if not best:
        say_aside("Nobody has come to the end of its training; see the logs of the jobs.")
        context.exit(ExitCode.FAILED)
    _tell("the best", best[:MOST_SHOWN], breeding)
    _save_best(template, breeding, best[0])


def _template(path: Path, workspace: Workspace) -> JobSpec:
    """UsageError where the sheet does not hold one job that can be bred."""
    from jobs.settings.spec import means_something
    from jobs.sheets.sheet import read_sheet

    jobs = read_sheet(path, workspace).jobs
    if len(jobs) != 1:
        raise UsageError(f"{path} has {len(jobs)} jobs; a template has one")
    spec = jobs[0].spec
    if not means_something("genome", spec.family):
        raise UsageError(f"{spec.name} is {with_article(spec.family)}; what is bred is a superres")
    if not spec.validation:
        raise UsageError(
            f"{spec.name} has no validation, which says how good one is; name a folder of pictures "
            "that are not trained on"
        )
    return spec


def _sheet_of(template: Path, generation: int) -> Path:
    return template.with_name(f"{template.stem}_g{generation:02d}.yaml")


def _generation(
    breeding: Breeding, number: int, before: Sequence[Bred], template: Path, workspace: Workspace
) -> list[Genome]:
    """Its genomes, whose sheet is written, unless it is there; none where draws give none."""
    from jobs.tinkering.writing import save_sheet, sheet_with_defaults

    parents = [each.genome for each in _ranked(before)[: breeding.survivors]]
    if number > 1 and not parents:
        raise UsageError(
            f"nobody of generation {number - 1} has come to the end of its training, so there are "
            "no parents; see the logs of its jobs"
        )
    sheet = _sheet_of(template, number)
    genomes = breeding.generation(number, parents, {str(each.genome) for each in before})
    if not genomes:
        return []
    specs = [breeding.spec_of(each, number, place) for place, each in enumerate(genomes, 1)]
    text = sheet_with_defaults(specs, [f"Bred by evolve: generation {number} of {template.name}"])
    if not sheet.exists():
        save_sheet(sheet, text, force=False)
        _checked(sheet, workspace)
    elif sheet.read_text(encoding="utf-8") != text:
        raise UsageError(
            f"{sheet} was bred of another template, or by other options; call it as then, or give "
            "the file of the template another name, after which jobs are called"
        )
    return genomes


def _checked(sheet: Path, workspace: Workspace) -> None:
    """SheetError where the jobs cannot be trained; then the sheet is not left behind."""
    from jobs.errors import SheetError
    from jobs.sheets.sheet import read_sheet

    try:
        read_sheet(sheet, workspace)
    except SheetError:
        sheet.unlink()
        raise


def _train(context: click.Context, sheet: Path, gpus: str, workspace: Path) -> None:
    """As `multitrain run` does. SystemExit where it was stopped, or the sheet is wrong."""
    words = ["run", str(sheet), "--gpus", gpus, "--workspace", str(workspace)]
    click.echo(f"\n$ {shlex.join(['multitrain', *words])}")
    commands = context.find_root().command
    assert isinstance(commands, click.Group)
    try:
        code = commands.main(words, "multitrain", standalone_mode=False)
    except SystemExit as end:
        code = end.code
    if code not in (None, ExitCode.DONE, ExitCode.FAILED):
        raise SystemExit(code)


def _fitness(workspace: Workspace, job: str) -> float | None:
    """What the job's pictures of validation came to after its last step; None: it is not done."""
    from jobs.workspace.jobfile import JobFile
    from jobs.workspace.measures import last_measures

    paths = workspace.job(job)
    planned = JobFile.read(paths)
    measured = last_measures(paths.progress)
    if not measured or planned is None or measured.step < planned.plan.steps_total:
        return None
    return measured.values.get(MEASURE)


def _ranked(bred: Sequence[Bred]) -> list[Bred]:
    """The best first, without those that came to nothing."""
    measured = [each for each in bred if each.fitness is not None]
    return sorted(measured, key=lambda each: -(each.fitness or 0.0))


def _tell(title: str, bred: Sequence[Bred], breeding: Breeding) -> None:
    from rich.table import Table

    from multitrain.commands.sheets import output_console

    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    table.add_column("job")
    table.add_column("PSNR, dB", justify="right")
    table.add_column("parameters", justify="right")
    table.add_column("genome", overflow="fold")
    for each in bred:
        fitness = "-" if each.fitness is None else f"{each.fitness:.2f}"
        parameters = f"{breeding.parameters(each.genome):,}"
        table.add_row(each.name, fitness, parameters, str(each.genome))
    output_console().print(table, highlight=False, markup=False)


def _save_best(template: Path, breeding: Breeding, best: Bred) -> None:
    """As a sheet of its own, for longer trainings."""
    from jobs.tinkering.writing import save_sheet, sheet_with_defaults

    path = template.with_name(f"{template.stem}_best.yaml")
    spec = breeding.trained_as(best.genome, f"{breeding.title}_best")
    comment = f"The best that evolve has found: {best.name}, {best.fitness:.2f} dB"
    text = sheet_with_defaults([spec], [comment])
    if path.exists() and path.read_text(encoding="utf-8") != text:
        say_aside(f"note: {path} is there already, with something else; it stays as it is")
        return
    save_sheet(path, text, force=True, source=template)
    click.echo(f"{path}: the best one as a sheet; give it more steps")
