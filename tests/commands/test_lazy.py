"""Commands that are imported when they are called."""

from __future__ import annotations

import click
import pytest
from click.exceptions import NoSuchCommand

from multitrain.commands.cli import PLACES, commands
from tests.command_line import command_named


@pytest.mark.parametrize("name", PLACES)
def test_each_is_where_the_table_says(name: str) -> None:
    assert command_named(name).name == name


@pytest.mark.parametrize(
    ("words", "meant"), [(["chek"], "check"), (["dataset", "inspct"], "inspect")]
)
def test_a_name_that_is_nearly_right_is_proposed(words: list[str], meant: str) -> None:
    *path, wrong = words
    group = command_named(*path) if path else commands
    assert isinstance(group, click.Group)
    with pytest.raises(NoSuchCommand) as raised:
        group.resolve_command(click.Context(group), [wrong])
    assert raised.value.possibilities == [meant]
