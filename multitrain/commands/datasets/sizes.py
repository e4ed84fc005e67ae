"""Sizes of pictures as options."""

from __future__ import annotations

import click
from pydantic import TypeAdapter, ValidationError

from jobs.settings.kinds import Resolution, Size

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
