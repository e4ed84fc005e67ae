"""What the documentation says is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs import reference
from jobs.families.table import FAMILIES
from jobs.settings.loops import Loop
from jobs.settings.parsing import parse_cells
from jobs.settings.spec import COLUMNS, JobSpec
from jobs.sheets.forms.cells import Rows
from jobs.sheets.forms.csv_cells import read_rows as read_csv
from jobs.sheets.forms.yaml_cells import read_rows as read_yaml
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from tests.command_line import command_named

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def blocks(language: str, page: str = README) -> list[str]:
    """Code blocks without the indentation that they have in a list."""
    found = re.findall(rf"(?m)^( *)```{language}\n((?:.*\n)*?)\1```", page)
    return [re.sub(rf"(?m)^{indentation}", "", block) for indentation, block in found]


def specs(rows: Rows) -> list[JobSpec]:
    assert rows.rows
    assert not rows.mistakes
    read = [parse_cells(row.texts()) for row in rows.rows]
    assert [reasons for _, reasons in read if reasons] == []
    return [spec for spec, _ in read if spec]


def test_the_page_of_settings_is_current() -> None:
    """Refresh it with: python -m jobs.reference > docs/settings.md"""
    assert reference.page() == SETTINGS


def test_the_page_has_every_column_and_every_parameter_once() -> None:
    first = re.findall(r"(?m)^\| `(\w+)` \| (?:`\w+\.\w+`)? \|", SETTINGS)
    assert first == list(COLUMNS)
    for heading, kind in reference.CHOICES.items():
        section = SETTINGS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        for name, parameters in kind.TABLE.items():
            rows = re.findall(rf"(?m)^\| `{name}` (\|.*)$", section)
            if parameters or name in kind.HELP:
                (row,) = rows
                told = [] if kind is Loop else [*parameters]
                assert re.findall(r"(?:\| |<br>)`(\w+)`", row) == told
                assert kind.HELP.get(name, "") in row
            else:
                assert not rows
                assert f"`{name}`" in section


def test_the_page_tells_which_loops_have_a_parameter() -> None:
    section = SETTINGS.partition("\n## Loops\n")[2]
    table = section.partition("| parameter |")[2]
    for name in {name for parameters in Loop.TABLE.values() for name in parameters}:
        (having,) = re.findall(rf"(?m)^\| `{name}`[^|]*\|.*\| ([^|]*) \|$", table)
        modes = [mode for mode, parameters in Loop.TABLE.items() if name in parameters]
        assert re.findall(r"`(\w+)`", having) == ([] if having == "all" else modes)
        assert (having == "all") == (len(modes) == len(Loop.TABLE))


def test_the_page_tells_which_settings_count_for_a_family() -> None:
    sections = SETTINGS.partition("\n## Families\n")[2].partition("\n## ")[0].split("\n### ")[1:]
    assert [section.split("\n")[0] for section in sections] == list(FAMILIES)
    for section, family in zip(sections, FAMILIES.values(), strict=True):
        found = dict(re.findall(r"(?m)^\| \[([^]]+)\]\S* \| .* \| (.*) \|$", section))
        for heading, columns in reference.groups().items():
            idle = [column for column in columns if column in family.without]
            told = found.get(heading, "none")
            assert re.findall(r"`(\w+)`", told) == (idle if told != "all" else [])
            assert told != "all" or idle == columns


def test_both_forms_on_the_page_of_settings_are_the_same_job() -> None:
    (csv,), (text,) = blocks("csv", SETTINGS), blocks("yaml", SETTINGS)
    assert specs(read_csv(csv, "")) == specs(read_yaml(text, ""))


def test_both_sheets_of_the_readme_describe_the_same_jobs() -> None:
    (csv,), (text, _) = blocks("csv"), blocks("yaml")
    assert specs(read_csv(csv, "readme.csv")) == specs(read_yaml(text, "readme.yaml"))


def test_the_loops_in_the_readme_can_be_asked_for() -> None:
    _, loops = blocks("yaml")
    job = "jobs:\n  - name: a\n    dataset: demo\n    video_length: 1\n"
    rows = read_yaml(f"{job}    grid_width: 1\n    grid_height: 1\n{loops}", "readme.yaml")
    (spec,) = specs(rows)
    assert [loop.name for loop in spec.loops or ()] == ["walk", "walk", "pingpong"]
    assert spec.keep_checkpoints == 1000


def test_the_mistake_in_the_readme_is_told_so(workspace: Workspace) -> None:
    (console,) = blocks("console")
    (csv,) = blocks("csv")
    told = console.splitlines()[1]
    workspace.dataset("waves").mkdir(parents=True)
    sheet = workspace.root / "my_night.csv"
    sheet.write_text(csv.replace("elu,crelu,tanh", "elu,crelu,tan"))
    result = CliRunner().invoke(commands, ["check", str(sheet), "--workspace", str(workspace.root)])
    assert told in str(result.exception).replace(f"{workspace.root}/", "")


def test_every_option_of_run_stands_in_the_readme() -> None:
    for option in command_named("run").params:
        for name in option.opts:
            if name.startswith("--"):
                assert name in README, name


@pytest.mark.parametrize("name", ["example_config.csv", "example_config.yaml"])
def test_the_example_sheets_are_right(name: str, workspace: Workspace) -> None:
    sheet = read_sheet(ROOT / name, workspace)
    assert len(sheet.jobs) >= 2
    assert not sheet.warnings


def test_links_in_the_documentation_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)
