"""Options that several commands have."""

from __future__ import annotations

import math
from pathlib import Path

import click


def refuse_nan(_: click.Context, __: click.Parameter, number: float | None) -> float | None:
    """Callback of an option with a range: nan lies in every one."""
    if number is not None and math.isnan(number):
        raise click.BadParameter("nan is no number")
    return number


workspace_option = click.option(
    "--workspace",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="the current folder",
    help="Folder with data/, renders/ and runs/.",
)
force_option = click.option("--force", is_flag=True, help="Replace a file that is there already.")
