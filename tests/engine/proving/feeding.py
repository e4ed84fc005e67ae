"""Networks that are trained on more than one data set, or on clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from keras import ops

from jobs.families.feed import Feed
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import Feeds, OpenFeed, clips
from multitrain.engine.model import (
    Batch,
    Carried,
    Chance,
    Model,
    Named,
    Nets,
    Outcome,
    Phase,
    Show,
    Shown,
    Turn,
    Update,
    begins_of,
)
from multitrain.engine.session import Frames
from tests.engine.proving.proof import (
    COLOURS,
    RATE,
    Step,
    Weights,
    colours_of,
    learning,
    matrix,
    mean_colours,
    of_squares,
    shown_by,
    squares,
)


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
            made = nets("generator", colours_of(batch.feeds["inputs"]))
            return Outcome(squares(made - colours_of(batch.feeds["targets"])))

        def draw(nets: Nets, samples: Named) -> object:
            inputs, targets = samples["inputs"], samples["targets"]
            colours = nets("generator", colours_of(inputs), training=False)
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
            networks={"generator": matrix("generator", COLOURS, COLOURS, 0)},
            turns={"g": Turn(("generator",), learning(), loss)},
            phases=(Phase(0, [Show(), Update("g", {"inputs": 0, "targets": 0}), Show()]),),
            shown=Shown(cell, {}, at, draw, pictures=("inputs", "targets")),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        inputs, targets = (mean_colours(step.feeds[x][0]) for x in ("inputs", "targets"))
        loss, of_generator = of_squares(inputs, inputs @ weights["generator"] - targets)
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
            colours = colours_of(batch.feeds["clips"])
            begins = batch.feeds[begins_of("clips")][:, None]
            remembered = ops.where(begins, 0.0, batch.carried["foretold"])
            made = nets("generator", ops.concatenate([colours[:, 0], remembered], axis=1))
            return Outcome(squares(made - colours[:, 1]), {"foretold": made})

        def carry(carried: Named, kept: Named) -> Named:
            return kept

        shown = shown_by("generator", job)
        return Model(
            networks={"generator": matrix("generator", 2 * COLOURS, COLOURS, 0)},
            turns={"g": Turn(("generator",), learning(1, micro_batches=2), loss, carry=carry)},
            phases=(Phase(0, [Show(), Update("g", {"clips": 0}), Show()]),),
            carried={"foretold": Carried((job.spec.images_per_batch, COLOURS), by_place=True)},
            shown=replace(shown, samples={"latents": Chance((2 * COLOURS,), "normal")}),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        colours = mean_colours(step.feeds["clips"][0])
        begins = step.feeds[begins_of("clips")][0][:, None].astype(bool)
        remembered = np.where(begins, 0.0, weights["foretold"])
        given = np.concatenate([colours[:, 0], remembered], axis=1)
        made = given @ weights["generator"]
        loss, of_generator = of_squares(given, made - colours[:, 1])
        weights["generator"] -= RATE * of_generator
        weights["foretold"] = made
        return {"g": loss}
