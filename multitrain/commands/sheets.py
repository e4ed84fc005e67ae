"""What the commands that read a sheet share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from rich.console import Console

from jobs.workspace.paths import Workspace

if TYPE_CHECKING:
    from jobs.sheets.sheet import Sheet

LOG_WIDTH = 200  # columns


def output_console(stream: TextIO | None = None) -> Console:
    """A console on `stream` (default: stdout); files and pipes get lines that need no folding."""
    stream = stream or sys.stdout
    return Console(file=stream, width=None if stream.isatty() else LOG_WIDTH)


def read_telling(path: Path, workspace: Workspace, *, is_strangers: bool = False) -> Sheet:
    """The sheet; its warnings are printed on stderr."""
    from jobs.sheets.sheet import read_sheet

    sheet = read_sheet(path, workspace, is_strangers=is_strangers)
    for warning in sheet.warnings:
        click.echo(f"note: {warning}", err=True)
    return sheet
