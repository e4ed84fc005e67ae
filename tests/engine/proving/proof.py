"""Kinds of networks that are there to prove the engines: small enough to work out by hand.

Samples are single colours; a discriminator is one row of weights. So each step of theirs is written
down twice: as a `Model`, for an engine, and in NumPy, gradients and all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.settings.choices import Clipping, Optimizer
from jobs.settings.schedules import Schedule
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import Feeds, only
from multitrain.engine.model import Chance, Learning, Model, Named, Nets, Shown
from multitrain.engine.session import Frames
from multitrain.networks.initializers import Normal
from multitrain.networks.regularization import Dropout

Array = NDArray[np.float64]
Weights = dict[str, Array]  # networks' matrices, and whatever else steps change

RATE = 0.1
LATENTS = Chance((5,), "normal")
COLOURS = 3


class Step(NamedTuple):
    """What a step is given, in NumPy."""

    number: int
    feeds: Mapping[str, Array]  # (batches, n, ..., height, width, 3), 0 to 255
    chance: Mapping[str, Array]  # (draws, n, ...)


class Proof(Protocol):
    """A kind of network, described for engines and worked out by hand."""

    across: int  # pictures that a cell shows side by side

    def feeds(self, pictures: Frames) -> Feeds:
        """What it is trained on, made of these."""

    def describe(self, job: JobFile) -> Model:
        """For an engine."""

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        """Changes the weights as one step does; returns the turns' losses."""


def learning(updates: int = 1, micro_batches: int = 1) -> Learning:
    return Learning(
        optimizer=Optimizer.parse("sgd"),
        rate=RATE,
        schedule=Schedule.parse("constant"),
        beta1=0.5,
        clipping=Clipping.parse("none"),
        updates=updates,
        steps=100,
        micro_batches=micro_batches,
    )


def matrix(name: str, inputs: int, outputs: int, seed: int, dropout: float = 0.0) -> keras.Model:
    """A network that multiplies `(n, inputs)` by its one matrix."""
    start = Normal(0.5, seed)
    x = given = keras.Input((inputs,))
    if dropout:
        x = Dropout(dropout, seed, name="dropout")(x)
    x = keras.layers.Dense(outputs, use_bias=False, kernel_initializer=start, name="matrix")(x)
    return keras.Model(given, x, name=name)


def colours_of(pictures: object) -> object:
    """The mean colours of pictures, `(n, 3)` in [-1, 1]."""
    return ops.mean(ops.cast(pictures, "float32"), axis=(-3, -2)) / 127.5 - 1.0


def squares(x: object) -> object:
    return ops.mean(ops.square(x))


def shown_by(generator: str, job: JobFile) -> Shown:
    def draw(nets: Nets, samples: Named) -> object:
        colours = nets(generator, samples["latents"], training=False)
        levels = ops.cast(ops.clip((colours + 1.0) * 127.5, 0.0, 255.0), "uint8")
        cells = levels[:, None, None, :]
        return ops.broadcast_to(
            cells, (job.spec.samples, job.image_height, job.image_width, COLOURS)
        )

    def at(samples: Named, first: object, frames: int) -> Named:
        latents = samples["latents"]
        return {"latents": ops.broadcast_to(latents, (frames, *latents.shape))}

    cell = (job.image_height, job.image_width, COLOURS)
    return Shown(cell, {"latents": LATENTS}, at, draw)


def mean_colours(pictures: Array) -> Array:
    return pictures.mean(axis=(-3, -2)) / 127.5 - 1.0


def of_squares(x: Array, values: Array) -> tuple[float, Array]:
    """The mean of the squares of `values = x @ w`, and its gradient at `w`."""
    return float(np.square(values).mean()), 2.0 * x.T @ values / values.size


class OfOneFeed:
    """What is trained on one data set, and shows one picture in a cell."""

    across = 1

    def feeds(self, pictures: Frames) -> Feeds:
        return only(pictures)
