"""`multitrain dataset ...`: pictures of anything into data sets, one module for each command."""

from __future__ import annotations

from importlib import import_module

import click

# A command's module is imported when it is called, or when all are listed.
COMMANDS = (
    "convert",
    "demo",
    "extract",
    "fetch",
    "inspect",
    "pair",
    "split",
    "tile",
    "untile",
)


class _Commands(click.Group):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(f"multitrain.commands.datasets.{name}")
        command: click.Command = module.command
        return command


@click.group(cls=_Commands)
def dataset() -> None:
    """Make data sets under data/ from videos, folders, scans; look at them."""
