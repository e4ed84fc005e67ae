"""CycleGAN before it is built: what sheets are checked by, shown and forecast."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.families.adversaries import operations_of, trained_pair
from jobs.families.cyclegan.layers import (
    HALVINGS,
    LEAST_SIDE,
    blocks_of,
    discriminator,
    generator,
    picture_of,
)
from jobs.families.family import Application, Family, Layers, Trained
from jobs.families.limits import MOST_VALUES, too_large
from jobs.families.patches import SIDES, wrong_freeze, wrong_patch
from jobs.families.translation import (
    OF_LAYERS,
    OF_STEPS,
    OTHERS_OF_FIXED,
    cell,
    unpaired,
    wrong_show,
    wrong_terms,
)
from jobs.settings.spec import JobSpec

GENERATORS = ("generator", "generator_back")  # of targets, and of inputs
DISCRIMINATORS = ("discriminator", "discriminator_back")  # likewise
TERMS = ("cycle", "identity", "gan")

_OF_LAYERS = OF_LAYERS.union({"convolution_g", "blocks", "pool", "patch", "losses"})


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of all networks."""
    made = generator(spec, width, height).layers
    judging = discriminator(spec, width, height)
    return {**dict.fromkeys(GENERATORS, made), **dict.fromkeys(DISCRIMINATORS, judging)}


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for what cannot be built, or cannot learn."""
    if reasons := dict(wrong_patch(spec, picture_of(spec, width, height))):
        return reasons
    for network, planned in layers(spec, width, height).items():
        draws = network in GENERATORS
        for layer in planned:
            dimension = "gf_dim" if draws else "df_dim"
            for column, reason in too_large(layer, spec, width=dimension, draws=draws):
                reasons.setdefault(column, f"layer {layer.number} {reason}")
    for column, reason in _wrong_training(spec):
        reasons.setdefault(column, reason)
    values = picture_of(spec, width, height).values
    if spec.pool * values > MOST_VALUES:
        reasons["pool"] = (
            f"would hold {spec.pool * values:,} values each way, and {MOST_VALUES:,} are the most; "
            f"{MOST_VALUES // values} pictures are"
        )
    return reasons


def _wrong_training(spec: JobSpec) -> Iterator[tuple[str, str]]:
    yield from wrong_terms(spec, TERMS)
    yield from wrong_freeze(spec)
    yield from wrong_show(spec, {"input", "output", "cycle"})
    if spec.loss.name == "wgan-gp":
        yield "loss", "wgan-gp is known not to work here; use lsgan, vanilla or hinge"
    if 0 < spec.pool < spec.images_per_batch:
        yield (
            "pool",
            f"{spec.pool} is smaller than a batch of {spec.images_per_batch}; make it as large at "
            "least, or 0, which has the discriminators see new pictures only",
        )


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step: all updates, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again. In each direction, a generator makes a picture, one back from it,
    and one of what it is to leave as it is.
    """
    made, judged = (
        sum(each.operations for each in layers(spec, width, height)[name])
        for name in (GENERATORS[0], DISCRIMINATORS[0])
    )
    is_left = any(term.name == "identity" and term["weight"] for term in spec.losses)
    update_d = 6 * judged  # of a picture and of one that was made
    update_g = 2 * judged + (1 + is_left) * 3 * made + 2 * made
    return operations_of(spec, made, update_d, update_g, ways=2)


def trained(spec: JobSpec) -> dict[str, Trained]:
    """What training keeps of all networks."""
    drawing, judging = trained_pair(spec).values()
    return {**dict.fromkeys(GENERATORS, drawing), **dict.fromkeys(DISCRIMINATORS, judging)}


def fixed(spec: JobSpec, width: int, height: int) -> JobSpec:
    """The settings with the number of blocks, which follows from the size of pictures."""
    return spec.model_copy(update={"blocks": blocks_of(spec, width, height)})


CYCLEGAN = Family(
    feeds=unpaired,
    cell=cell,
    layers=layers,
    impossible=impossible,
    batches=lambda spec: spec.nbr_d_updates,  # each of the discriminators' has one of its own
    operations=operations,
    trained=trained,
    columns_of_layers=_OF_LAYERS,
    columns_of_steps=OF_STEPS,
    networks=(*GENERATORS, *DISCRIMINATORS),
    application=Application(GENERATORS, fixed, lambda _: LEAST_SIDE, lambda _: HALVINGS),
    averaged={"average": "generator", "average_back": "generator_back"},
    without=frozenset({*OTHERS_OF_FIXED, "perceptual"}),
    sides=SIDES,
)
