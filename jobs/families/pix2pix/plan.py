"""pix2pix before it is built: what sheets are checked by, shown and forecast."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from jobs.families import vgg16
from jobs.families.adversaries import operations_of, trained_pair
from jobs.families.family import Application, Family, Layers
from jobs.families.layer import Layer
from jobs.families.limits import too_large
from jobs.families.patches import SIDES, wrong_freeze, wrong_patch
from jobs.families.pix2pix.layers import discriminator, generator, halvings, judged, most_downs
from jobs.families.translation import (
    OF_LAYERS,
    OF_STEPS,
    OTHERS,
    TERMS_OF_PAIRS,
    cell,
    feeds,
    wrong_show,
    wrong_terms,
)
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.spec import JobSpec

FEWEST_PER_STATISTIC = 4  # pictures: with fewer, those of a training say too little of others
_WITH_STATISTICS = "batch"

_OF_LAYERS = OF_LAYERS.union(
    {
        "batch_norm_g", "batch_norm_d", "normalization_g", "normalization_d", "convolution_g",
        "dropout_g", "downs", "peel", "patch", "conditional", "losses", "perceptual",
    }
)  # fmt: skip


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of both networks."""
    return {
        "generator": generator(spec, width, height).layers,
        "discriminator": discriminator(spec, width, height),
    }


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for what cannot be built, or cannot learn."""
    reasons = dict(_wrong_sizes(spec, width, height))
    if reasons:  # layers cannot be planned
        return reasons
    for network, planned in layers(spec, width, height).items():
        for layer in planned:
            for column, reason in _wrong_layer(layer, network, spec):
                reasons.setdefault(column, f"layer {layer.number} {reason}")
    for column, reason in _wrong_training(spec):
        reasons.setdefault(column, reason)
    return reasons


def _wrong_sizes(spec: JobSpec, width: int, height: int) -> Iterator[tuple[str, str]]:
    most = most_downs(width, height)
    if spec.downs and spec.downs > most:
        yield (
            "downs",
            f"{spec.downs} would need pictures of {least_side(spec)} pixels a side, and these are "
            f"{width}x{height}; {most} is the most, {halvings(width, height)} the default",
        )
    yield from wrong_patch(spec, judged(spec, width, height))


def _wrong_layer(layer: Layer, network: str, spec: JobSpec) -> Iterator[tuple[str, str]]:
    draws = network == "generator"
    yield from too_large(layer, spec, width="gf_dim" if draws else "df_dim", draws=draws)


def _wrong_training(spec: JobSpec) -> Iterator[tuple[str, str]]:
    share = spec.images_per_batch // spec.gpus
    inner = spec.normalization_g or ("batch" if spec.batch_norm_g else "none",)
    if _WITH_STATISTICS in inner and share < FEWEST_PER_STATISTIC:
        yield (
            "batch_size",
            f"{spec.images_per_batch} on {spec.gpus} gpus is {share} for each: frames are drawn by "
            f"statistics of batches, and those of fewer than {FEWEST_PER_STATISTIC} pictures "
            "make them blurred or black; set normalization_g to instance, or a larger batch_size"
            if spec.gpus > 1
            else f"{share}: frames are drawn by statistics of batches, and those of fewer than "
            f"{FEWEST_PER_STATISTIC} pictures make them blurred or black; set normalization_g to "
            f"instance, or batch_size to {FEWEST_PER_STATISTIC} or more",
        )
    yield from wrong_terms(spec, TERMS_OF_PAIRS)
    yield from _wrong_perception(spec)
    judged = spec.normalization_d or ("batch" if spec.batch_norm_d else "none",)
    if spec.loss.name == "wgan-gp" and _WITH_STATISTICS in judged:
        yield (
            "loss",
            "wgan-gp judges each picture by itself, which batch normalization does not; set "
            "normalization_d to layer or instance",
        )
    yield from wrong_freeze(spec)
    yield from wrong_show(spec, {"input", "output", "target"})


def _wrong_perception(spec: JobSpec) -> Iterator[tuple[str, str]]:
    seen = [term.name for term in spec.losses if term.name in SEEN_BY_VGG16]
    if seen and not spec.perceptual:
        yield (
            "losses",
            f"names {seen[0]}, for which perceptual must name a file with weights of VGG16; "
            "feature compares by the discriminator, and ms-ssim without any network",
        )
    if spec.perceptual and not seen:
        yield "perceptual", f"has no effect without {' or '.join(SEEN_BY_VGG16)} in losses"
    elif reason := vgg16.unfit_colours(spec):
        yield "perceptual", reason


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step: all updates, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again. The discriminator's update needs no gradients of pictures, the
    generator's none of inputs and of the discriminator's weights.
    """
    made, judged = (
        [layer.operations for layer in each] for each in layers(spec, width, height).values()
    )
    update_d = 2 * (3 * sum(judged) - judged[0])
    update_g = 2 * sum(judged) + 2 * sum(made) - made[0]
    names = {term.name for term in spec.losses}
    if "feature" in names:  # of both pictures, and back to the one that was made
        update_g += 3 * sum(judged)
    # Of both pictures, and back to the one that was made.
    update_g += 3 * vgg16.operations(width, height) * len(names.intersection(SEEN_BY_VGG16))
    return operations_of(spec, sum(made), update_d, update_g)


def fixed(spec: JobSpec, width: int, height: int) -> JobSpec:
    """The settings with the number of halvings, which follows from the size of pictures."""
    return spec.model_copy(update={"downs": spec.downs or halvings(width, height)})


def least_side(spec: JobSpec) -> int:
    """Pixels that a side needs to be halved `downs` times."""
    return next(side for side in count(2) if most_downs(side, side) >= (spec.downs or 0))


PIX2PIX = Family(
    feeds=feeds,
    cell=cell,
    layers=layers,
    impossible=impossible,
    batches=lambda spec: spec.nbr_d_updates,  # each of the discriminator's has one of its own
    operations=operations,
    trained=trained_pair,
    columns_of_layers=_OF_LAYERS,
    columns_of_steps=OF_STEPS.union({"input_from"}),
    networks=("generator", "discriminator"),
    application=Application(("generator",), fixed, least_side, lambda spec: spec.downs or 0),
    averaged={"average": "generator"},
    held={"generator": 1, "discriminator": 2},
    without=frozenset(OTHERS),
    sides=SIDES,
)
