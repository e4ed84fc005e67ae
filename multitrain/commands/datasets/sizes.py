"""Sizes of pictures, and of their sides, as options."""

from __future__ import annotations

import re
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from jobs.settings.kinds import Resolution, Size, SizeOrSide
from jobs.settings.preprocess import Sides

SMALLEST, LARGEST = 8, 1920  # pixels of a side that is drawn: larger ones take very much memory


def drawn_size(_: click.Context, __: click.Parameter, value: str) -> Resolution:
    """A callback for options: `160x90` is a width and a height in pixels."""
    try:
        size: Resolution = TypeAdapter(Size).validate_python(value)
    except ValidationError:
        raise click.BadParameter(f"{value[:40]!r} is no size such as 160x90") from None
    if min(size) < SMALLEST or max(size) > LARGEST:
        raise click.BadParameter(f"{size} has a side that is not {SMALLEST} to {LARGEST} pixels")
    return size


def four_sides(_: click.Context, __: click.Parameter, value: str) -> Sides:
    """A callback for options: `240,240,0,0` are pixels left, right, top and bottom."""
    if not re.fullmatch(r"\s*\d{1,5}\s*(,\s*\d{1,5}\s*){3}", value, re.ASCII):
        raise click.BadParameter(f"{value!r} is not four numbers of pixels such as 240,240,0,0")
    return Sides(*map(int, value.split(",")))


class SideOrSize(click.ParamType[Resolution]):
    """`320x180` is a size, one number a square."""

    name = "WxH|N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Resolution:
        try:
            size: Resolution = TypeAdapter(SizeOrSide).validate_python(value)
            return size
        except ValidationError as error:
            self.fail(str(error.errors()[0].get("ctx", {}).get("error", error)), param, ctx)
