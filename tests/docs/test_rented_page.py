"""What the page on rented machines has its reader type can be typed so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from jobs.settings.parsing import parse_cells
from jobs.settings.spec import JobSpec
from jobs.sheets.forms.csv_cells import read_rows
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.resuming.later_film import name_from
from multitrain.resuming.source import Source
from render.delivery.backups import checkpoint_in
from tests.command_line import command_named

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rented.md").read_text(encoding="utf-8")
(SHEET,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)


def calls() -> list[list[str]]:
    """Every line of the page's blocks that calls multitrain, also in a notebook's cell."""
    lines = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()
    plain = [re.sub(r"^!?(\.venv/bin/)?", "", line) for line in lines]
    return [shlex.split(line)[1:] for line in plain if line.startswith("multitrain ")]


def spec() -> JobSpec:
    (row,) = read_rows(SHEET, "").rows
    found, mistakes = parse_cells(row.texts())
    assert not mistakes
    assert found is not None
    return found


def test_every_call_can_be_made() -> None:
    found = calls()
    assert {name for name, *_ in found} >= {"check", "status", "logs", "resume-from", "run"}
    for name, *arguments in found:
        context = command_named(name).make_context(name, list(arguments))
        assert context.command.name == name


def test_every_script_is_there() -> None:
    for script in re.findall(r"\./(\w+\.sh)", PAGE):
        assert (ROOT / script).exists()


def test_the_job_is_brought_back_from_where_it_was_sent() -> None:
    (call,) = [arguments for name, *arguments in calls() if name == "resume-from"]
    assert Source.parse(call[0]).url == spec().upload_to


def test_check_says_what_a_loss_costs(
    workspace: Workspace, make_pictures: Callable[..., list[Path]]
) -> None:
    make_pictures(workspace.dataset("waves"), count=12, size=(32, 32))
    sheet = workspace.root / "night.csv"
    sheet.write_text(SHEET)
    call = ["check", str(sheet), "--gpus", "cpu", "--workspace", str(workspace.root)]
    done = CliRunner().invoke(commands, call)
    assert done.exit_code == 0, done.output
    assert (
        "note: night: a loss of this machine costs at most the training of 15 minutes and of "
        "two timecuts of 30 s each, which is done again, and no frame of the film"
    ) in done.output


def test_names_on_the_page_are_those_that_are_given() -> None:
    job = JobFile(spec=spec(), image_width=32, image_height=32)
    assert f"`{name_from(job, 18000)}`" in PAGE
    delivery = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
    (member,) = re.findall(r"/home/vj/(checkpoints/\S+\.h5)", delivery)
    assert checkpoint_in(member)
