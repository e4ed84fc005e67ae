"""Every number that a user gives has a lower and an upper bound, and what breaks one is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import click
import pytest

from jobs.errors import SheetError
from jobs.settings.bounds import LARGEST, unwrap
from jobs.settings.choices import Choice
from jobs.settings.kinds import Folder, Resolution
from jobs.settings.moments import Moments
from jobs.settings.parsing import cell_text, entry_type
from jobs.settings.songs import SongFile, TempoRange
from jobs.settings.spec import COLUMNS
from jobs.sheets.sheet import read_sheet
from jobs.tinkering.perturbation import Bounds
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.commands.options import Number

ABSURD = (
    "1e308",
    "1" + "0" * 400,
    "1" * 5000,
    "-1",
    "-1e308",
    "nan",
    "inf",
    "-inf",
    "1e-400",
    "0x",
)
LONGEST_MESSAGE = 1500  # with the sheet's path in it
# Written as digits in a pattern that limits them.
LIMITED_BY_PATTERN = (Resolution, Folder, Moments, SongFile, TempoRange)


def types_in(annotation: Any, metadata: tuple[object, ...] = ()) -> Iterator[tuple[Any, list[Any]]]:
    """Every plain type that a value may have, with its metadata, those of choices' parameters."""
    kind, more = unwrap(annotation)
    if get_origin(kind) is tuple:
        for entry in get_args(kind):
            if entry is not Ellipsis:
                yield from types_in(entry)
    elif isinstance(kind, type) and issubclass(kind, Choice):
        for table in kind.TABLE.values():
            for parameter in table.values():
                yield from types_in(parameter.type)
    else:
        yield kind, [*metadata, *more]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_of_numbers_has_both_bounds(column: str) -> None:
    field = COLUMNS[column]
    for kind, metadata in types_in(field.annotation, tuple(field.metadata)):
        if kind in (int, float):
            bounds = Bounds.of(metadata)
            assert -LARGEST <= bounds.low < bounds.high <= 2**31, (column, metadata)
        elif get_origin(kind) is None:
            assert kind in (str, bool, *LIMITED_BY_PATTERN), f"what bounds {kind}?"


def options_of(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command, Any]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from options_of(command, f"{path}{name} ")
        else:
            yield from ((f"{path}{name} {each.name}", command, each) for each in command.params)


OPTIONS = {name: (command, option) for name, command, option in options_of(commands)}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_is_a_number_has_both_bounds(name: str) -> None:
    kind = OPTIONS[name][1].type
    for each in kind.types if isinstance(kind, click.Tuple) else (kind,):
        if isinstance(each, click.types.IntParamType | click.types.FloatParamType):
            assert isinstance(each, click.IntRange | Number), "nan lies in each FloatRange"
            assert each.min is not None
            assert each.max is not None


@pytest.mark.parametrize(
    "name", [name for name, (_, option) in OPTIONS.items() if isinstance(option, click.Option)]
)
def test_an_option_with_an_absurd_value_is_refused_or_taken(
    name: str, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command, option = OPTIONS[name]
    if option.is_flag or option.nargs != 1:
        return
    for value in ABSURD:
        for number in (value, f"{value}x{value}", f"{value}:{value}", f"{value}:59:59"):
            context = click.Context(command)
            try:
                taken = option.process_value(context, option.type_cast_value(context, number))
            except click.ClickException:
                continue
            assert not isinstance(taken, float) or abs(taken) <= LARGEST


def choices_with(number: str, column: str) -> Iterator[str]:
    kind = entry_type(column)
    if isinstance(kind, type) and issubclass(kind, Choice):
        for name, table in kind.TABLE.items():
            yield from (f"{name}({parameter}={number})" for parameter in table)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_sheet_with_absurd_values_is_refused_or_taken(column: str, workspace: Workspace) -> None:
    good = {
        "name": "a", "dataset": "demo", "family": "testcard", "grid_width": "1",
        "grid_height": "1", "video_length": "0.02",
    }  # fmt: skip
    sheet = workspace.root / "sheet.yaml"
    told: list[str] = []
    for number in ABSURD:
        for text in (number, f"{number},{number}", f"{number}x{number}", f"demo*{number}",
                     *choices_with(number, column)):  # fmt: skip
            cells = "".join(f"  {key}: {value}\n" for key, value in (good | {column: text}).items())
            sheet.write_text(f"jobs:\n-{cells[1:]}")
            try:
                jobs = read_sheet(sheet, workspace).jobs
            except SheetError as error:
                told.append(str(error))
                continue
            for job in jobs:  # what it is reckoned with
                assert job.plan.cuts
                assert cell_text(column, getattr(job.spec, column))
    assert all(column in line and len(line) < LONGEST_MESSAGE for line in told)


def test_a_number_that_is_far_too_large_is_told_what_it_may_be(workspace: Workspace) -> None:
    sheet = workspace.root / "sheet.csv"
    sheet.write_text(
        "name,dataset,grid_width,grid_height,video_length,learning_rate_g,auto_render_period,"
        "optimizer_g\n"
        f'a,demo,1{"0" * 30},1,0.02,1e30,1e308,"muon(muon_a=-1e30)"\n'
    )
    with pytest.raises(SheetError) as raised:
        read_sheet(sheet, workspace)
    assert {each.column: each.reason for each in raised.value.mistakes} == {
        "grid_width": f"must be at most 1000000000, not '1{'0' * 30}'",
        "learning_rate_g": "must be at most 1000000000, not '1e30'",
        "auto_render_period": "must be a number above 0 and at most 86400, not '1e308'",
        "optimizer_g": "muon: muon_a must be at least -1000000000, not '-1e30'",
    }
