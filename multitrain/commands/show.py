"""`multitrain show`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from jobs.errors import UsageError
from jobs.settings.words import nearest, quoted
from jobs.sheets.sheet import Sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.options import data_option, sheet_argument, workspace_option
from multitrain.commands.sheets import output_console, read_telling


@click.command()
@sheet_argument
@click.argument("job")
@click.option("--changed", is_flag=True, help="Only settings that differ from their defaults.")
@click.option("--json", "as_json", is_flag=True, help="Settings and layers, for machines.")
@workspace_option
@data_option
def show(
    sheet: Path,
    job: str,
    changed: bool,
    as_json: bool,
    workspace: Path,
    pictures: Path | None,
) -> None:
    """Print JOB of SHEET as a sheet of its own, and the layers of its networks.

    The sheet goes to standard output, in YAML and with every setting spelt out; the table of the
    layers to standard error. So `multitrain show a.csv night > night.yaml` makes a sheet.
    """
    from jobs.sheets.forms.nested_form import nested, sheet_text
    from multitrain.commands import layer_table

    found = _job_named(job, read_telling(sheet, Workspace(workspace.absolute(), pictures)))
    layers = layer_table.networks(found)
    if as_json:
        settings = nested(found.spec, changed=changed)
        content: dict[str, object] = {
            "settings": settings,
            "layers": layer_table.for_machines(layers),
        }
        if (step := layer_table.step_bytes(found)) is not None:
            content["step_bytes"] = step
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(sheet_text([found.spec], changed=changed), nl=False)
    if layers:
        table = layer_table.table(layers, layer_table.step_bytes(found))
        output_console(sys.stderr).print(table, highlight=False)


def _job_named(name: str, sheet: Sheet) -> JobFile:
    jobs = {job.spec.name: job for job in sheet.jobs}
    if name not in jobs:
        raise UsageError(f"there is no job {quoted(name)} in this sheet{nearest(name, jobs)}")
    return jobs[name]
