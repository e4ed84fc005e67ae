"""The page on tinkering: its template makes what it says, its commands and ranges are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from jobs.ranges import RANGES
from jobs.templates import generate
from multitrain.cli import commands

PAGE = (Path(__file__).parents[2] / "docs" / "tinkering.md").read_text(encoding="utf-8")


def test_the_template_makes_the_jobs_that_the_page_speaks_of(workspace):
    (template,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    specs = generate(template, "template.yaml", 4, 1, workspace).specs
    assert len(specs) == 1 + 2 * 4
    assert specs[0].name == "plain"
    told = re.search(r"Names tell what varies: `([^`]+)`", PAGE)
    shape = re.sub(r"[\d.]+e-\d", "N", told[1])
    assert shape in {re.sub(r"[\d.]+e-\d", "N", spec.name) for spec in specs}


def test_every_range_stands_in_the_table():
    assert tuple(re.findall(r"(?m)^\| `\{(\w+): ", PAGE)) == RANGES


def test_every_command_and_option_exists():
    calls = re.findall(r"(?m)^multitrain (.+)$", PAGE)
    assert len(calls) == 3
    for name, *arguments in map(shlex.split, calls):
        command = commands.commands[name]
        options = {option for each in command.params for option in each.opts}
        assert {each for each in arguments if each.startswith("-")} <= options
    everything = {
        option
        for each in commands.commands.values()
        for parameter in each.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert set(re.findall(r"`(--[\w-]+)", PAGE)) <= everything
