"""The commands of `multitrain`, by their names."""

from __future__ import annotations

import click

from multitrain.commands.cli import commands


def command_named(name: str) -> click.Command:
    command = commands.get_command(click.Context(commands), name)
    assert command, name
    return command
