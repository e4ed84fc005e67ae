"""Kinds of networks that are there to prove the engines: small enough to work out by hand.

Samples are single colours; a discriminator is one row of weights. So each step of theirs is written
down here twice: as a `Model`, for an engine, and in NumPy, gradients and all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.families.feed import PICTURES, Feed
from jobs.settings.choices import Clipping, Optimizer, Schedule
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import Feeds, OpenFeed, clips, only
from multitrain.engine.model import (
    Average,
    Batch,
    Carried,
    Chance,
    Learning,
    Model,
    Named,
    Nets,
    Outcome,
    Pass,
    Phase,
    Show,
    Shown,
    Turn,
    Update,
    begins_of,
)
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


def _learning(updates: int = 1, micro_batches: int = 1) -> Learning:
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


def _matrix(name: str, inputs: int, outputs: int, seed: int, dropout: float = 0.0) -> keras.Model:
    """A network that multiplies `(n, inputs)` by its one matrix."""
    start = Normal(0.5, seed)
    x = given = keras.Input((inputs,))
    if dropout:
        x = Dropout(dropout, seed, name="dropout")(x)
    x = keras.layers.Dense(outputs, use_bias=False, kernel_initializer=start, name="matrix")(x)
    return keras.Model(given, x, name=name)


def _colours(pictures: object) -> object:
    """The mean colours of pictures, `(n, 3)` in [-1, 1]."""
    return ops.mean(ops.cast(pictures, "float32"), axis=(-3, -2)) / 127.5 - 1.0


def _squares(x: object) -> object:
    return ops.mean(ops.square(x))


def _shown(generator: str, job: JobFile) -> Shown:
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


def _mean_colours(pictures: Array) -> Array:
    return pictures.mean(axis=(-3, -2)) / 127.5 - 1.0


def _of_squares(x: Array, values: Array) -> tuple[float, Array]:
    """The mean of the squares of `values = x @ w`, and its gradient at `w`."""
    return float(np.square(values).mean()), 2.0 * x.T @ values / values.size


class OfOneFeed:
    """What is trained on one data set, and shows one picture in a cell."""

    across = 1

    def feeds(self, pictures: Frames) -> Feeds:
        return only(pictures)


class TwoPairs:
    """Two generators that learn together against two discriminators that learn together.

    Each discriminator has a data set of its own.
    """

    across = 1

    def feeds(self, pictures: Frames) -> Feeds:
        return {
            "a": OpenFeed(Feed("a", ()), pictures),
            "b": OpenFeed(Feed("b", ()), pictures[:5, ::-1].copy()),
        }

    def describe(self, job: JobFile) -> Model:
        pairs = "ab"

        def fakes(nets: Nets, feeds: Named, chance: Named) -> Named:
            return {each: nets(f"generator_{each}", chance["latents"]) for each in pairs}

        def loss_d(nets: Nets, batch: Batch) -> Outcome:
            loss = 0.0
            for each in pairs:
                judge = f"discriminator_{each}"
                loss += _squares(nets(judge, _colours(batch.feeds[each])) - 1.0)
                loss += _squares(nets(judge, batch.passes["fakes"][each]))
            return Outcome(loss)

        def loss_g(nets: Nets, batch: Batch) -> Outcome:
            made = batch.passes["fakes"]
            together = _squares(made["a"] + made["b"])
            return Outcome(
                sum((_squares(nets(f"discriminator_{x}", made[x]) - 1.0) for x in pairs), together)
            )

        networks = {}
        for seed, each in enumerate(pairs):
            networks[f"generator_{each}"] = _matrix(f"generator_{each}", 5, COLOURS, seed)
            networks[f"discriminator_{each}"] = _matrix(f"discriminator_{each}", COLOURS, 1, seed)
        program = [
            Update("d", {"a": 0, "b": 0}, {"latents": 0}),
            Update("d", {"a": 1, "b": 1}, {"latents": 1}),
            Show(),
            Update("g", {}, {"latents": 1}),
            Show(),
        ]
        return Model(
            networks=networks,
            passes={"fakes": Pass(("generator_a", "generator_b"), ("latents",), fakes)},
            turns={
                "d": Turn(("discriminator_a", "discriminator_b"), _learning(2), loss_d, ("fakes",)),
                "g": Turn(("generator_a", "generator_b"), _learning(), loss_g, ("fakes",)),
            },
            phases=(Phase(0, program),),
            chance={"latents": LATENTS},
            shown=_shown("generator_a", job),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        losses: dict[str, list[float]] = {"d": [], "g": []}
        for update in range(2):
            latents, loss = step.chance["latents"][update], 0.0
            for each in "ab":
                reals = _mean_colours(step.feeds[each][update])
                judge = weights[f"discriminator_{each}"]
                made = latents @ weights[f"generator_{each}"]
                on_real, of_real = _of_squares(reals, reals @ judge - 1.0)
                on_fake, of_fake = _of_squares(made, made @ judge)
                judge -= RATE * (of_real + of_fake)
                loss += on_real + on_fake
            losses["d"].append(loss)
        latents = step.chance["latents"][1]
        made = {each: latents @ weights[f"generator_{each}"] for each in "ab"}
        loss, of_sum = _of_squares(latents, made["a"] + made["b"])
        for each in "ab":
            judge = weights[f"discriminator_{each}"]
            judged = made[each] @ judge - 1.0
            loss += float(np.square(judged).mean())
            of_made = 2.0 * judged @ judge.T / judged.size
            weights[f"generator_{each}"] -= RATE * (latents.T @ of_made + of_sum)
        return {"d": float(np.mean(losses["d"])), "g": loss}


class FrozenEye(OfOneFeed):
    """A generator learns what a frozen network sees; from step 2 on, a discriminator learns, too.

    The frozen network has a layer that draws in training, which it never does.
    """

    tuned_from = 2

    def describe(self, job: JobFile) -> Model:
        def seen(nets: Nets, batch: Batch) -> object:
            made = nets("generator", batch.chance["latents"])
            reals = _colours(batch.feeds[PICTURES])
            return made, nets("eye", made) - nets("eye", reals)

        def loss_warm(nets: Nets, batch: Batch) -> Outcome:
            return Outcome(_squares(seen(nets, batch)[1]))

        def loss_d(nets: Nets, batch: Batch) -> Outcome:
            return Outcome(_squares(nets("discriminator", _colours(batch.feeds[PICTURES])) - 1.0))

        def loss_g(nets: Nets, batch: Batch) -> Outcome:
            made, apart = seen(nets, batch)
            return Outcome(_squares(apart) + _squares(nets("discriminator", made) - 1.0))

        given = {PICTURES: 0}, {"latents": 0}
        return Model(
            networks={
                "generator": _matrix("generator", 5, COLOURS, 0),
                "eye": _matrix("eye", COLOURS, 4, 1, dropout=0.5),
                "discriminator": _matrix("discriminator", COLOURS, 1, 2),
            },
            turns={
                "warm": Turn(("generator",), _learning(), loss_warm),
                "d": Turn(("discriminator",), _learning(), loss_d),
                "g": Turn(("generator",), _learning(), loss_g),
            },
            phases=(
                Phase(0, [Show(), Update("warm", *given), Show()]),
                Phase(
                    self.tuned_from,
                    [Update("d", {PICTURES: 0}), Show(), Update("g", *given), Show()],
                ),
            ),
            chance={"latents": LATENTS},
            averages={"average": Average("generator", 0.9)},
            shown=_shown("generator", job),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        reals, latents = _mean_colours(step.feeds[PICTURES][0]), step.chance["latents"][0]
        losses: dict[str, float] = {}
        judge, eye = weights["discriminator"], weights["eye"]
        tuned = step.number >= self.tuned_from
        if tuned:
            losses["d"], of_judge = _of_squares(reals, reals @ judge - 1.0)
            judge -= RATE * of_judge
        made = latents @ weights["generator"]
        apart = (made - reals) @ eye
        loss, of_made = float(np.square(apart).mean()), 2.0 * apart @ eye.T / apart.size
        if tuned:
            judged = made @ judge - 1.0
            loss += float(np.square(judged).mean())
            of_made = of_made + 2.0 * judged @ judge.T / judged.size
        weights["generator"] -= RATE * latents.T @ of_made
        # An average counts the updates of its network by any turn.
        kept = min(0.9, (2.0 + step.number) / (11.0 + step.number))
        weights["average"] = kept * weights["average"] + (1.0 - kept) * weights["generator"]
        return losses | {"g" if tuned else "warm": loss}


class Pool(OfOneFeed):
    """The discriminator learns on a pool of earlier samples, in two micro-batches.

    A sample takes a place in the pool where chance is below a half.
    """

    def describe(self, job: JobFile) -> Model:
        def fakes(nets: Nets, feeds: Named, chance: Named) -> object:
            return nets("generator", chance["latents"])

        def loss_d(nets: Nets, batch: Batch) -> Outcome:
            reals, made = _colours(batch.feeds[PICTURES]), batch.passes["fakes"]
            loss = _squares(nets("discriminator", reals) - 1.0)
            loss += _squares(nets("discriminator", batch.carried["pool"]))
            return Outcome(loss, {"fakes": made, "chosen": batch.chance["choice"]})

        def loss_g(nets: Nets, batch: Batch) -> Outcome:
            return Outcome(_squares(nets("discriminator", batch.passes["fakes"]) - 1.0))

        def carry(carried: Named, kept: Named) -> Named:
            chosen = kept["chosen"][:, None] < 0.5
            return {"pool": ops.where(chosen, kept["fakes"], carried["pool"])}

        program = [
            Update("d", {PICTURES: 0}, {"latents": 0, "choice": 0}),
            Show(),
            Update("g", {}, {"latents": 0}),
            Show(),
        ]
        return Model(
            networks={
                "generator": _matrix("generator", 5, COLOURS, 0),
                "discriminator": _matrix("discriminator", COLOURS, 1, 1),
            },
            passes={"fakes": Pass(("generator",), ("latents",), fakes)},
            turns={
                "d": Turn(
                    ("discriminator",), _learning(1, micro_batches=2), loss_d, ("fakes",), carry
                ),
                "g": Turn(("generator",), _learning(), loss_g, ("fakes",)),
            },
            phases=(Phase(0, program),),
            chance={"latents": LATENTS, "choice": Chance()},
            carried={"pool": Carried((job.spec.images_per_batch, COLOURS))},
            shown=_shown("generator", job),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        reals, latents = _mean_colours(step.feeds[PICTURES][0]), step.chance["latents"][0]
        judge, pool = weights["discriminator"], weights["pool"]
        on_real, of_real = _of_squares(reals, reals @ judge - 1.0)
        on_pool, of_pool = _of_squares(pool, pool @ judge)
        judge -= RATE * (of_real + of_pool)
        made = latents @ weights["generator"]
        weights["pool"] = np.where(step.chance["choice"][0][:, None] < 0.5, made, pool)
        judged = made @ judge - 1.0
        weights["generator"] -= RATE * latents.T @ (2.0 * judged @ judge.T / judged.size)
        return {"d": on_real + on_pool, "g": float(np.square(judged).mean())}


class Translation:
    """A generator learns the colours of targets from those of inputs, which are 3 times smaller.

    A cell shows input, output and target.
    """

    across = 3

    def feeds(self, pictures: Frames) -> Feeds:
        smaller = Feed("inputs", (), pair_of="targets", factor=3)
        return {
            "targets": OpenFeed(Feed("targets", ()), pictures),
            "inputs": OpenFeed(smaller, 255 - pictures[:, 1::3, 1::3]),
        }

    def describe(self, job: JobFile) -> Model:
        def loss(nets: Nets, batch: Batch) -> Outcome:
            made = nets("generator", _colours(batch.feeds["inputs"]))
            return Outcome(_squares(made - _colours(batch.feeds["targets"])))

        def draw(nets: Nets, samples: Named) -> object:
            inputs, targets = samples["inputs"], samples["targets"]
            colours = nets("generator", _colours(inputs), training=False)
            levels = ops.cast(ops.clip((colours + 1.0) * 127.5, 0.0, 255.0), "uint8")
            made = ops.broadcast_to(levels[:, None, None, :], targets.shape)
            enlarged = ops.repeat(ops.repeat(inputs, 3, axis=1), 3, axis=2)
            return ops.concatenate([enlarged, made, targets], axis=2)

        def at(samples: Named, first: object, frames: int) -> Named:
            return {
                name: ops.broadcast_to(each, (frames, *each.shape))
                for name, each in samples.items()
            }

        cell = (job.image_height, self.across * job.image_width, COLOURS)
        return Model(
            networks={"generator": _matrix("generator", COLOURS, COLOURS, 0)},
            turns={"g": Turn(("generator",), _learning(), loss)},
            phases=(Phase(0, [Show(), Update("g", {"inputs": 0, "targets": 0}), Show()]),),
            shown=Shown(cell, {}, at, draw, pictures=("inputs", "targets")),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        inputs, targets = (_mean_colours(step.feeds[x][0]) for x in ("inputs", "targets"))
        loss, of_generator = _of_squares(inputs, inputs @ weights["generator"] - targets)
        weights["generator"] -= RATE * of_generator
        return {"g": loss}


class Memory:
    """A generator foretells the last colour of a clip, and remembers what it foretold.

    Clips follow on each other; where one does not, nothing is remembered.
    """

    across = 1

    def feeds(self, pictures: Frames) -> Feeds:
        numbers, _, runs = clips([5, len(pictures) - 5], 2, go_on=True)
        feed = Feed("clips", (), frames=2, goes_on=True)
        return {"clips": OpenFeed(feed, pictures, numbers, runs=runs)}

    def describe(self, job: JobFile) -> Model:
        def loss(nets: Nets, batch: Batch) -> Outcome:
            colours = _colours(batch.feeds["clips"])
            begins = batch.feeds[begins_of("clips")][:, None]
            remembered = ops.where(begins, 0.0, batch.carried["foretold"])
            made = nets("generator", ops.concatenate([colours[:, 0], remembered], axis=1))
            return Outcome(_squares(made - colours[:, 1]), {"foretold": made})

        def carry(carried: Named, kept: Named) -> Named:
            return kept

        shown = _shown("generator", job)
        return Model(
            networks={"generator": _matrix("generator", 2 * COLOURS, COLOURS, 0)},
            turns={"g": Turn(("generator",), _learning(1, micro_batches=2), loss, carry=carry)},
            phases=(Phase(0, [Show(), Update("g", {"clips": 0}), Show()]),),
            carried={"foretold": Carried((job.spec.images_per_batch, COLOURS), by_place=True)},
            shown=replace(shown, samples={"latents": Chance((2 * COLOURS,), "normal")}),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        colours = _mean_colours(step.feeds["clips"][0])
        begins = step.feeds[begins_of("clips")][0][:, None].astype(bool)
        remembered = np.where(begins, 0.0, weights["foretold"])
        given = np.concatenate([colours[:, 0], remembered], axis=1)
        made = given @ weights["generator"]
        loss, of_generator = _of_squares(given, made - colours[:, 1])
        weights["generator"] -= RATE * of_generator
        weights["foretold"] = made
        return {"g": loss}


PROOFS: dict[str, Callable[[], Proof]] = {
    "two pairs": TwoPairs,
    "a frozen network, two phases": FrozenEye,
    "a pool that is carried": Pool,
    "pairs of pictures": Translation,
    "clips that go on": Memory,
}
