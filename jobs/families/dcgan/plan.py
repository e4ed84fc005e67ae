"""DCGAN before it is built: what sheets are checked by, shown and forecast."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.families.adversaries import operations_of, trained_pair
from jobs.families.dcgan.layers import (
    COLUMNS_OF_LAYERS,
    discriminator_layers,
    generator_layers,
)
from jobs.families.dcgan.rules import impossible
from jobs.families.family import Family, Layers
from jobs.settings.spec import JobSpec


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of both networks."""
    return {
        "generator": generator_layers(spec, width, height),
        "discriminator": discriminator_layers(spec, width, height),
    }


def batches(spec: JobSpec) -> int:
    """Each update of the discriminator has a batch of its own."""
    return spec.nbr_d_updates


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step, on average: all updates of both networks, and frames."""
    generator, discriminator = (
        [layer.operations for layer in each] for each in layers(spec, width, height).values()
    )
    return step_operations(spec, generator, discriminator)


def step_operations(spec: JobSpec, generator: Sequence[int], discriminator: Sequence[int]) -> int:
    """Operations of one step, on average, from those of each layer for one picture.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again. The discriminator's update needs no gradients of the pictures, the
    generator's none of the latents and of the discriminator's weights. The generator's first update
    goes on from the pictures of the discriminator's last.
    """
    update_d = 2 * (2 * sum(discriminator) + sum(discriminator[1:]))  # pictures and fakes
    update_g = 2 * sum(discriminator) + sum(generator) + sum(generator[1:])
    return operations_of(spec, sum(generator), update_d, update_g)


DCGAN = Family(
    layers=layers,
    impossible=impossible,
    batches=batches,
    operations=operations,
    trained=trained_pair,
    columns_of_layers=COLUMNS_OF_LAYERS,
    columns_of_steps=frozenset({"nbr_d_updates", "nbr_g_updates", "snapshot"}),
    networks=("generator", "discriminator"),
    sampler="generator",
    averaged={"average": "generator"},
    without=frozenset({"perceptual"}),
)
