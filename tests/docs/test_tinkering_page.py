"""The page on tinkering: its template makes what it says, its commands and ranges are there."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from click.testing import CliRunner

from jobs.settings.kinds import GeneratorConvolution
from jobs.sheets.forms.ranges import RANGES
from jobs.sheets.sheet import read_sheet
from jobs.tinkering.templates import generate
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import PLACES, commands
from tests.command_line import command_named

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tinkering.md").read_text(encoding="utf-8")


SHEET, TEMPLATE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_nested_sheet_has_no_mistakes(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "sheet.yaml"
    path.write_text(SHEET, encoding="utf-8")

    (job,) = read_sheet(path, workspace).jobs

    assert job.spec.filters_g == (48, 24, 12)
    assert job.spec.normalization_d == ("spectral",)


def test_the_template_makes_the_jobs_that_the_page_speaks_of(workspace: Workspace) -> None:
    (call,) = re.findall(r"(?m)^multitrain generate template.yaml -o sheet.yaml (.+)$", PAGE)
    assert shlex.split(call)[::2] == ["--count", "--seed"]
    count, seed = map(int, shlex.split(call)[1::2])
    specs = generate(TEMPLATE, "template.yaml", count, seed, workspace).specs
    assert len(specs) == 1 + 2 * 4
    assert specs[0].name == "plain"
    told = re.search(r"Names tell what varies: `([^`]+)`", PAGE)
    assert told[1] in {spec.name for spec in specs}


def test_every_range_stands_in_the_table() -> None:
    assert tuple(re.findall(r"(?m)^\| `\{(\w+): ", PAGE)) == RANGES


def test_every_way_to_enlarge_has_its_checkerboard() -> None:
    rows = re.findall(r"(?m)^\| `([\w-]+)` \| .* \| [\d.]+ dB \| [\d.]+ \|$", PAGE)
    assert tuple(rows) == get_args(GeneratorConvolution)
    (module,) = re.findall(r"(?m)^python -m (benchmarks\.\w+) docs/images/\w+\.png$", PAGE)
    assert find_spec(module)


def test_every_command_and_option_exists() -> None:
    calls = re.findall(r"(?m)^multitrain (.+)$", PAGE)
    assert len(calls) == 5
    for name, *arguments in map(shlex.split, calls):
        command = command_named(name)
        options = {option for each in command.params for option in each.opts}
        assert {each for each in arguments if each.startswith("-")} <= options
    everything = {
        option
        for each in map(command_named, PLACES)
        for parameter in each.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert set(re.findall(r"`(--[\w-]+)", PAGE)) <= everything


def test_the_variations_that_are_compared_are_those_that_are_made(tmp_path: Path) -> None:
    (mutate,) = re.findall(r"(?m)^multitrain (mutate .+)$", PAGE)
    (compared,) = re.findall(r"(?m)^multitrain compare neon (\S+ \S+) -o", PAGE)
    place = ["--workspace", str(tmp_path), "--sheet", str(ROOT / "example_config.yaml")]
    call = [*mutate.replace("more.yaml", str(tmp_path / "more.yaml")).split(), *place]
    CliRunner().invoke(commands, call, catch_exceptions=False)
    made = re.findall(r"(?m)^- name: (.+)$", (tmp_path / "more.yaml").read_text())
    assert made[:2] == compared.split()
