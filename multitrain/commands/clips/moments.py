"""`multitrain moments`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.workspace.disk import means_full
from jobs.workspace.paths import Workspace
from multitrain.commands.options import existing_workspace_option

if TYPE_CHECKING:
    from jobs.workspace.jobfile import JobFile
    from jobs.workspace.moments import Shortlist

# Other modules are imported when needed, so that a wrong call is reported at once.


@click.command("moments")
@click.argument("names", nargs=-1, metavar="JOB…")
@click.option("--all", "every", is_flag=True, help="Every job whose film is there.")
@existing_workspace_option
@click.pass_context
def command(
    context: click.Context, /, names: tuple[str, ...], every: bool, workspace: Path
) -> None:
    """Name the moments of films where most moves and least comes again, the best first.

    \b
    multitrain moments night
    multitrain loop night --mode pingpong --seconds 10 --start 83.4

    Each film is looked through once. What is found, and a still of each moment, is kept in
    runs/JOB/moments/.
    """
    from jobs.tinkering.earlier_jobs import jobs_left, past_job

    if bool(names) == every:
        raise UsageError("moments: name jobs or --all; `multitrain status` lists them")
    place, failed = Workspace(workspace.absolute()), False
    jobs = [past_job(place, name) for name in names or jobs_left(place)]
    films = [_film(place, job) for job in jobs]
    for job, film in zip(jobs, films, strict=True):
        name = job.spec.name
        if not film.exists():
            if every:
                continue
            raise UsageError(f"there is no film of {name} yet")
        try:
            _tell(place, name, _moments(place, name, film))
        except (MultitrainError, OSError) as error:
            if means_full(error):
                raise
            failed = True
            click.echo(f"{name}: {error}", err=True)
    context.exit(ExitCode.FAILED if failed else ExitCode.DONE)


def _film(workspace: Workspace, job: JobFile) -> Path:
    """Its film, or that of its first box."""
    return workspace.job(job.spec.name).films(job.plan)[0]


def _moments(workspace: Workspace, name: str, film: Path) -> Shortlist:
    from jobs.workspace.moments import read_shortlist
    from multitrain.commands.long_work import shown_work
    from render.films.moments import LOOKS, moments_of

    paths = workspace.job(name)
    if kept := read_shortlist(paths, film):
        return kept
    looked = 0
    with shown_work(name, LOOKS, "pictures") as on_progress:

        def tell(_: int) -> None:
            nonlocal looked
            looked += 1
            on_progress(min(looked, LOOKS))

        return moments_of(paths, film, tell)


def _tell(workspace: Workspace, name: str, shortlist: Shortlist) -> None:
    paths = workspace.job(name)
    for each in shortlist.moments:
        still = paths.still(each.frame).relative_to(workspace.root)
        click.echo(f"{name}  {each.seconds:10.3f} s  {still}")
