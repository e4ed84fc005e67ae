"""`multitrain dataset ...`: pictures of anything into data sets, one module for each command."""

from __future__ import annotations

import click

from multitrain.commands.lazy import LazyGroup

COMMANDS = (
    "convert",
    "demo",
    "extract",
    "faces",
    "fetch",
    "inspect",
    "pair",
    "split",
    "tile",
    "untile",
)


@click.group(
    cls=LazyGroup,
    places={name: f"datasets.{name}:command" for name in COMMANDS},
)
def dataset() -> None:
    """Make data sets under data/ from videos, folders, scans; look at them."""
