"""`multitrain resume-from`: a job whose machine is gone, brought back on this one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.workspace.paths import Workspace
from multitrain.commands.options import workspace_option

if TYPE_CHECKING:
    from jobs.workspace.jobfile import JobFile

# Other modules are imported when they are needed, so that `--help` appears at once.


@click.command(name="resume-from")
@click.argument("source", metavar="ADDRESS|ZIP")
@click.option("--job", metavar="JOB", help="Which one, where backups of several jobs lie there.")
@workspace_option
def command(source: str, job: str | None, workspace: Path) -> None:
    """Bring back a job whose machine is gone, by the backup and the timecuts that it had sent.

    ADDRESS is what its `upload_to` was, or that of one JOB_checkpoint.zip; ZIP is such a file here,
    with the timecuts beside it. Passwords are looked up in upload.ini, as for sending. The pictures
    that the job trains on must be here: they are compared with those of then. What is lost of the
    film is said. Nothing that is there already is replaced.
    """
    from multitrain.commands.run.assembling import prepare_demo
    from multitrain.resuming.bringing import bring_back
    from multitrain.resuming.source import Source

    place = Workspace(workspace)

    def prepare(found: JobFile) -> None:
        prepare_demo(place, (found,), _note)

    brought = bring_back(place, Source.parse(source), job, _note, prepare)
    for line in brought.lines:
        click.echo(line)
    click.echo(f"{brought.job.spec.name} is queued: `multitrain run` works on it.")


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)
