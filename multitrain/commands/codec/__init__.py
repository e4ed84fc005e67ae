"""`multitrain codec …`: video as the latents of an autoencoder, in a file and back."""

from __future__ import annotations

import click

from multitrain.commands.lazy import LazyGroup

COMMANDS = ("curve", "decode", "encode", "info")


@click.group(cls=LazyGroup, places={name: f"codec.{name}:command" for name in COMMANDS})
def codec() -> None:
    """Store videos as what an autoencoder of yours makes of them, and get them back.

    It will not beat H.264: the point is the look, and how it learns.
    """
