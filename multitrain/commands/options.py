"""Options that several commands have."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from jobs.settings.bounds import LARGEST
from multitrain.farm.hours import Hours

ALL_GPUS = "all"
LARGEST_SEED = 2**31 - 1  # as in the column `seed`


class Whole(click.IntRange):
    """A whole number between two bounds, and called so in messages."""

    name = "whole number"


class Step(Whole):
    """The step of a training, or `best`."""

    name = "step"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "best":
            return value
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A number between two bounds; without this check, Click lets nan pass."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail("nan is no number", param, ctx)
        return float(number)


class Seconds(Number):
    """A number of seconds, or a length such as `1m30s` or `0:45`."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        from jobs.settings.lengths import seconds_of  # not every command needs it

        found = seconds_of(value) if isinstance(value, str) else None
        try:
            return super().convert(value if found is None else found, param, ctx)
        except click.BadParameter as error:
            self.fail(f"{error.message} Lengths are written as 90, 1:30 or 1m30s.", param, ctx)


class HoursOfTheDay(click.ParamType[Any]):
    """Hours such as `22:00-08:00`."""

    name = "hours"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Hours:
        try:
            return value if isinstance(value, Hours) else Hours.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


sheet_argument = click.argument("sheet", type=click.Path(path_type=Path))
gpus_option = click.option(
    "--gpus", default=ALL_GPUS, show_default=True, help="all, cpu, or a list such as 0,1."
)
step_option = click.option(
    "--step",
    type=Step(0, LARGEST),
    metavar="STEP|best",
    help="Of the training; best: the one that `keep_best` has kept.",
    show_default="the newest",
)
slots_option = click.option("--slots", type=Whole(1, 1024), help="Jobs side by side on CPU cores.")
fresh_option = click.option(
    "--fresh",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="JOB",
    help="Start this job over; its film is kept. Several times for several, `all` for all.",
)


def _absolute(folder: Path) -> Path:
    """Without `..`, as paths are told and handed on; links in it stay."""
    return Path(os.path.normpath(folder.absolute()))


def _workspace_option(*, exists: bool) -> Callable[[Any], Any]:
    return click.option(
        "--workspace",
        type=click.Path(exists=exists, file_okay=False, path_type=Path),
        default=Path(),
        show_default="the current folder",
        callback=lambda _context, _option, folder: _absolute(folder),
        help="Folder with data/, renders/ and runs/.",
    )


workspace_option = _workspace_option(exists=False)
existing_workspace_option = _workspace_option(exists=True)


def _pictures(context: click.Context, option: click.Parameter, folder: Path | None) -> Path | None:
    """The absolute path, as jobs keep it. BadParameter where a sheet could not hold it."""
    if folder is None:
        return None
    path = _absolute(folder)
    if "," in str(path) or not str(path).isprintable():
        reason = "has a comma or an unseen sign in its path; make a link to it"
        raise click.BadParameter(f"{str(path)!a} {reason}", context, option)
    return path


data_option = click.option(
    "--data",
    "pictures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    callback=_pictures,
    metavar="FOLDER",
    help="Where the data sets are, if not in data/.",
)
from_page_option = click.option(
    "--from-page",
    is_flag=True,
    hidden=True,  # the page says it for whoever has its link
    help="Take no sheet that runs commands or sends files.",
)
force_option = click.option("--force", is_flag=True, help="Replace a file that is there already.")
