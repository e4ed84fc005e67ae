"""What the documentation says is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from click.testing import CliRunner

from jobs import reference
from jobs.csv_cells import read_rows as read_csv
from jobs.parsing import parse_cells
from jobs.paths import Workspace
from jobs.sheet import read_sheet
from jobs.yaml_cells import read_rows as read_yaml
from multitrain.cli import commands

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [
        re.sub(r"(?m)^   ", "", block)
        for block in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    ]


def test_the_page_of_columns_is_current() -> None:
    """Refresh it with: python -m jobs.reference > docs/columns.md"""
    assert (ROOT / "docs" / "columns.md").read_text(encoding="utf-8") == reference.page()


def test_both_sheets_of_the_readme_describe_the_same_jobs() -> None:
    (csv,), (text,) = blocks("csv"), blocks("yaml")
    assert yaml.safe_load(text)
    rows = [read_csv(csv, "readme.csv"), read_yaml(text, "readme.yaml")]
    specs = []
    for each in rows:
        assert not each.mistakes
        specs.append([parse_cells(row.texts())[0] for row in each.rows])
    assert specs[0] == specs[1]
    assert None not in specs[0]


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
    for option in commands.commands["run"].params:
        for name in option.opts:
            if name.startswith("--"):
                assert name in README, name


def test_the_example_sheet_is_right() -> None:
    sheet = read_sheet(ROOT / "example_config.csv", Workspace(ROOT))
    assert len(sheet.jobs) >= 2
    assert not sheet.warnings


def test_links_in_the_documentation_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)
