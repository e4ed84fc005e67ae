"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

workspace_option = click.option(
    "--workspace",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="the current folder",
    help="Folder with data/, renders/ and runs/.",
)
force_option = click.option("--force", is_flag=True, help="Replace a file that is there already.")
