"""What the page of walks says can be called so."""

from __future__ import annotations

import re
from pathlib import Path

import click

from jobs.settings.parsing import parse_cells
from jobs.sheets.forms.csv_cells import read_rows
from multitrain.commands.clips.walk import command

PAGE = (Path(__file__).parents[2] / "docs" / "walks.md").read_text(encoding="utf-8")


def test_its_sheet_can_be_read() -> None:
    (sheet,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (row,) = read_rows(sheet, "walks.md").rows

    spec, reasons = parse_cells(row.texts())

    assert spec is not None, reasons
    assert spec.keep_checkpoints == 1000
    assert [loop.is_walk for loop in spec.loops or ()] == [True, True]


def test_its_calls_can_be_made() -> None:
    calls = re.findall(r"(?m)^    multitrain walk (.+)$", PAGE)
    assert calls
    for call in calls:
        command.make_context("walk", call.split())


def test_it_tells_of_every_option() -> None:
    options = {
        name for each in command.params if isinstance(each, click.Option) for name in each.opts
    }
    told = set(re.findall(r"--[a-z][a-z-]+", PAGE)) | set(re.findall(r"`(-\w)`", PAGE))

    assert options - told - {"--output", "--workspace"} == set()
    assert told - options - {"--fresh"} == set()


def test_its_pictures_are_there() -> None:
    pictures = re.findall(r"\]\((images/\S+)\)", PAGE)
    for picture in pictures:
        assert 0 < (Path(__file__).parents[2] / "docs" / picture).stat().st_size < 300_000
