"""Generators and discriminators in turns: pairs, frozen networks, phases, what is carried."""

from __future__ import annotations

import numpy as np
from keras import ops

from jobs.families.feed import PICTURES, Feed
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import Feeds, OpenFeed
from multitrain.engine.model import (
    Average,
    Batch,
    Carried,
    Chance,
    Model,
    Named,
    Nets,
    Outcome,
    Pass,
    Phase,
    Show,
    Turn,
    Update,
)
from multitrain.engine.session import Frames
from tests.engine.proving.proof import (
    COLOURS,
    LATENTS,
    RATE,
    OfOneFeed,
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
                loss += squares(nets(judge, colours_of(batch.feeds[each])) - 1.0)
                loss += squares(nets(judge, batch.passes["fakes"][each]))
            return Outcome(loss)

        def loss_g(nets: Nets, batch: Batch) -> Outcome:
            made = batch.passes["fakes"]
            together = squares(made["a"] + made["b"])
            return Outcome(
                sum((squares(nets(f"discriminator_{x}", made[x]) - 1.0) for x in pairs), together)
            )

        networks = {}
        for seed, each in enumerate(pairs):
            networks[f"generator_{each}"] = matrix(f"generator_{each}", 5, COLOURS, seed)
            networks[f"discriminator_{each}"] = matrix(f"discriminator_{each}", COLOURS, 1, seed)
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
                "d": Turn(("discriminator_a", "discriminator_b"), learning(2), loss_d, ("fakes",)),
                "g": Turn(("generator_a", "generator_b"), learning(), loss_g, ("fakes",)),
            },
            phases=(Phase(0, program),),
            chance={"latents": LATENTS},
            shown=shown_by("generator_a", job),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        losses: dict[str, list[float]] = {"d": [], "g": []}
        for update in range(2):
            latents, loss = step.chance["latents"][update], 0.0
            for each in "ab":
                reals = mean_colours(step.feeds[each][update])
                judge = weights[f"discriminator_{each}"]
                made = latents @ weights[f"generator_{each}"]
                on_real, of_real = of_squares(reals, reals @ judge - 1.0)
                on_fake, of_fake = of_squares(made, made @ judge)
                judge -= RATE * (of_real + of_fake)
                loss += on_real + on_fake
            losses["d"].append(loss)
        latents = step.chance["latents"][1]
        made = {each: latents @ weights[f"generator_{each}"] for each in "ab"}
        loss, of_sum = of_squares(latents, made["a"] + made["b"])
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
            reals = colours_of(batch.feeds[PICTURES])
            return made, nets("eye", made) - nets("eye", reals)

        def loss_warm(nets: Nets, batch: Batch) -> Outcome:
            return Outcome(squares(seen(nets, batch)[1]))

        def loss_d(nets: Nets, batch: Batch) -> Outcome:
            return Outcome(squares(nets("discriminator", colours_of(batch.feeds[PICTURES])) - 1.0))

        def loss_g(nets: Nets, batch: Batch) -> Outcome:
            made, apart = seen(nets, batch)
            return Outcome(squares(apart) + squares(nets("discriminator", made) - 1.0))

        given = {PICTURES: 0}, {"latents": 0}
        return Model(
            networks={
                "generator": matrix("generator", 5, COLOURS, 0),
                "eye": matrix("eye", COLOURS, 4, 1, dropout=0.5),
                "discriminator": matrix("discriminator", COLOURS, 1, 2),
            },
            turns={
                "warm": Turn(("generator",), learning(), loss_warm),
                "d": Turn(("discriminator",), learning(), loss_d),
                "g": Turn(("generator",), learning(), loss_g),
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
            shown=shown_by("generator", job),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        reals, latents = mean_colours(step.feeds[PICTURES][0]), step.chance["latents"][0]
        losses: dict[str, float] = {}
        judge, eye = weights["discriminator"], weights["eye"]
        tuned = step.number >= self.tuned_from
        if tuned:
            losses["d"], of_judge = of_squares(reals, reals @ judge - 1.0)
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
            reals, made = colours_of(batch.feeds[PICTURES]), batch.passes["fakes"]
            loss = squares(nets("discriminator", reals) - 1.0)
            loss += squares(nets("discriminator", batch.carried["pool"]))
            return Outcome(loss, {"fakes": made, "chosen": batch.chance["choice"]})

        def loss_g(nets: Nets, batch: Batch) -> Outcome:
            return Outcome(squares(nets("discriminator", batch.passes["fakes"]) - 1.0))

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
                "generator": matrix("generator", 5, COLOURS, 0),
                "discriminator": matrix("discriminator", COLOURS, 1, 1),
            },
            passes={"fakes": Pass(("generator",), ("latents",), fakes)},
            turns={
                "d": Turn(
                    ("discriminator",), learning(1, micro_batches=2), loss_d, ("fakes",), carry
                ),
                "g": Turn(("generator",), learning(), loss_g, ("fakes",)),
            },
            phases=(Phase(0, program),),
            chance={"latents": LATENTS, "choice": Chance()},
            carried={"pool": Carried((job.spec.images_per_batch, COLOURS))},
            shown=shown_by("generator", job),
        )

    def by_hand(self, weights: Weights, step: Step) -> dict[str, float]:
        reals, latents = mean_colours(step.feeds[PICTURES][0]), step.chance["latents"][0]
        judge, pool = weights["discriminator"], weights["pool"]
        on_real, of_real = of_squares(reals, reals @ judge - 1.0)
        on_pool, of_pool = of_squares(pool, pool @ judge)
        judge -= RATE * (of_real + of_pool)
        made = latents @ weights["generator"]
        weights["pool"] = np.where(step.chance["choice"][0][:, None] < 0.5, made, pool)
        judged = made @ judge - 1.0
        weights["generator"] -= RATE * latents.T @ (2.0 * judged @ judge.T / judged.size)
        return {"d": on_real + on_pool, "g": float(np.square(judged).mean())}
