"""What families of a generator and a discriminator have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from jobs.families.feed import PICTURES
from jobs.families.layer import WEIGHTS, Layer
from jobs.workspace.jobfile import JobFile
from multitrain.engine.model import Learning, Show, Update


def program(
    d_updates: int, g_updates: int, frames: int, of_d: Collection[str]
) -> list[Update | Show]:
    """The discriminator's updates, with a batch of pictures each, then the generator's.

    The discriminator's updates are given latents and the chance that `of_d` names. The generator's
    first update goes back through the fakes that the discriminator saw last.
    """
    last = d_updates - 1
    given = ("latents", *of_d)
    return [
        *(Update("d", {PICTURES: n}, dict.fromkeys(given, n)) for n in range(d_updates)),
        *(Show() for _ in range(frames - 1)),
        *(Update("g", {PICTURES: last}, {"latents": last + n}) for n in range(g_updates)),
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
