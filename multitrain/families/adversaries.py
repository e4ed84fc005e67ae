"""What families of a generator and a discriminator have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from keras import ops

from jobs.families.feed import PICTURES
from jobs.families.layer import WEIGHTS, Layer
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.model import (
    EMPTY,
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
)
from multitrain.engine.motion import Latents, at_frames
from multitrain.networks.colours import to_network, to_picture
from multitrain.networks.judgement import Judgement
from multitrain.networks.losses import GanLosses


@dataclass(frozen=True)
class Pair:
    """What a generator and a discriminator do with each other in training.

    The generator maps latents to values `(n, height, width, channels)` in [-1, 1], the
    discriminator such values to a `Judgement`. One that maps something else says so in `feeds`,
    `made_of` and `fakes`.
    """

    spec: JobSpec

    @property
    def feeds(self) -> tuple[str, ...]:
        """The feeds that updates are given."""
        return (PICTURES,)

    @property
    def made_of(self) -> Mapping[str, Chance]:
        """What chance gives the generator; it may be given feeds besides."""
        return {"latents": self.latents.chance}

    @property
    def generators(self) -> Mapping[str, str]:
        """The networks that learn against the others, each with the name of its average."""
        return {"generator": "average"}

    @property
    def of_discriminators(self) -> Mapping[str, Chance]:
        """What chance gives the discriminators besides."""
        return {}

    @property
    def carried(self) -> Mapping[str, Carried]:
        """What lives on from one update of the discriminators to the next."""
        return {}

    def carry(self, carried: Named, kept: Named) -> Named:  # noqa: ARG002
        """What is carried from then on."""
        return carried

    @property
    def seen_by_generator(self) -> tuple[str, ...]:
        """The feeds that it is given."""
        return ()

    @cached_property
    def losses(self) -> GanLosses:
        return GanLosses(
            self.spec.loss, self.spec.label_smoothing, self.spec.feature_matching, self.by_item
        )

    @property
    def by_item(self) -> bool:
        """Whether a discriminator's logits are to be compared with those of the same item alone."""
        return False

    @cached_property
    def latents(self) -> Latents:
        return Latents.of(self.spec)

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:  # noqa: ARG002
        return nets("generator", chance["latents"])

    def reals(self, batch: Batch) -> Any:
        return to_network(self.spec.colour_model, batch.feeds[PICTURES])

    def judged(self, nets: Nets, pictures: Any, batch: Batch) -> Judgement:  # noqa: ARG002
        """What the discriminator thinks of `pictures`, one for each item of the `batch`."""
        return Judgement(*nets("discriminator", pictures))

    def discriminator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        reals = self.reals(batch)
        return Outcome(self.judging(nets, batch, reals, self.judged(nets, reals, batch)))

    def judging(self, nets: Nets, batch: Batch, reals: Any, real: Judgement) -> Any:
        """The loss of a discriminator whose judgement of the `reals` is `real`."""
        fakes = batch.passes["fakes"]
        loss = self.losses.discriminator(real, self.judged(nets, fakes, batch))
        if self.losses.has_gradient_penalty:
            share = batch.chance["mixing"][:, None, None, None]
            mixed = reals + share * (fakes - reals)

            def logits(pictures: Any) -> Any:
                return ops.mean(self.judged(nets, pictures, batch).logits, axis=1)

            loss += self.losses.gradient_penalty(nets.gradient(logits, mixed))
        return loss

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        return Outcome(self.deceiving(nets, batch))

    def deceiving(self, nets: Nets, batch: Batch) -> Any:
        """The loss of a generator whose fakes are judged."""
        real = None
        if self.losses.generator_sees_pictures:
            real = self.judged(nets, self.reals(batch), batch)
        fake = self.judged(nets, batch.passes["fakes"], batch)
        return self.losses.generator(real, fake)

    def shown(self, job: JobFile) -> Shown:
        """What frames show."""
        cell = (job.image_height, job.image_width, job.plan.channels)
        return Shown(cell, self.made_of, self.latents_at, self.cells)

    def latents_at(self, samples: Named, first: Any, frames: int) -> Named:
        grid, fps = samples["latents"], self.spec.fps
        return {"latents": at_frames(grid, self.latents, first, frames, fps)}

    def cells(self, nets: Nets, samples: Named) -> Any:
        drawn = nets("generator", samples["latents"], training=False)
        return to_picture(self.spec.colour_model, drawn)


def model(
    job: JobFile, networks: Mapping[str, Any], pair: Pair, of_d: Mapping[str, Chance] = EMPTY
) -> Model:
    """Networks of which generators learn against the others; frames show what they make.

    The others are given the chance `of_d`, besides what their loss needs.
    """
    spec, made_of = job.spec, pair.made_of
    mixing = {"mixing": Chance()} if pair.losses.has_gradient_penalty else {}
    of_d = {**of_d, **mixing, **pair.of_discriminators}
    d, g = learning(job, "d"), learning(job, "g")
    makers = tuple(pair.generators)
    judges = tuple(name for name in networks if name not in makers)
    carry = pair.carry if pair.carried else None
    uses = (*pair.seen_by_generator, *made_of)
    return Model(
        networks=networks,
        passes={"fakes": Pass(makers, uses, pair.fakes)},
        turns={
            "d": Turn(judges, d, pair.discriminator_loss, ("fakes",), carry),
            "g": Turn(makers, g, pair.generator_loss, ("fakes",)),
        },
        phases=(Phase(0, _program(d.updates, g.updates, spec.frames_per_step, pair, of_d)),),
        chance={**made_of, **of_d},
        averages={
            average: Average(network, spec.ema)
            for network, average in pair.generators.items()
            if spec.ema
        },
        carried=pair.carried,
        shown=pair.shown(job),
    )


def _program(
    d_updates: int, g_updates: int, frames: int, pair: Pair, of_d: Collection[str]
) -> list[Update | Show]:
    """The discriminator's updates, with a batch of pictures each, then the generator's.

    The discriminator's updates are given what the generator makes fakes of, and the chance that
    `of_d` names. The generator's first update goes back through the fakes that the discriminator
    saw last.
    """
    last = d_updates - 1
    feeds, made_of = pair.feeds, tuple(pair.made_of)
    return [
        *(
            Update("d", dict.fromkeys(feeds, n), dict.fromkeys((*made_of, *of_d), n))
            for n in range(d_updates)
        ),
        *(Show() for _ in range(frames - 1)),
        *(
            Update("g", dict.fromkeys(feeds, last), dict.fromkeys(made_of, last + n))
            for n in range(g_updates)
        ),
        Show(),
    ]


def learning(job: JobFile, network: Literal["g", "d"]) -> Learning:
    """How the turn of one of the two networks learns."""

    def of(name: str) -> Any:
        return getattr(job.spec, f"{name}_{network}")

    return Learning(
        optimizer=of("optimizer"),
        rate=of("learning_rate"),
        schedule=of("schedule"),
        beta1=of("beta1"),
        clipping=of("gradient_clip"),
        updates=getattr(job.spec, f"nbr_{network}_updates"),
        steps=job.schedule_steps,
        warm_up=job.spec.warm_up_updates,
    )


def seeds(seed: int) -> Iterator[int]:
    """Independent seeds, one for each layer: layers of one shape must not start alike."""
    draws = np.random.default_rng(seed)
    while True:
        yield int(draws.integers(2**31))


def layer_name(layer: Layer) -> str:
    """What a planned layer is called in its network, and so in checkpoints."""
    name = WEIGHTS[layer.kind]
    return name if layer.kernel is None else f"{name}_{layer.number - 1}"


def freeze(network: Any, layers: Sequence[Layer]) -> None:
    """Have these layers of a Keras network, and their normalizations, learn nothing."""
    names = {name for each in layers for name in (layer_name(each), f"norm_{each.number - 1}")}
    for layer in network.layers:
        if layer.name in names:
            layer.trainable = False
