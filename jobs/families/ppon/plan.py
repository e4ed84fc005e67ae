"""Super-resolution in three stages before it is built: what sheets are checked by, shown, forecast.

Hui et al. 2019, https://arxiv.org/abs/1907.10399. A stage learns when those before it have: content
by the distance of values, structure by that of patterns, perception by what looks alike, against a
discriminator.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobs.families import enlarging, patches, vgg16
from jobs.families.adversaries import operations_of, trained_pair
from jobs.families.enlarging import (
    DISCRIMINATOR,
    JUDGED,
    LEAST_SIDE,
    OF_ENLARGERS,
    cell,
    counting,
    discriminator,
    feeds,
    high_of,
    wrong_learning,
    wrong_sizes,
)
from jobs.families.family import Application, Family, Layers, Sides, Trained
from jobs.families.limits import too_large
from jobs.families.ppon.layers import LOSSES, PERCEPTION, STAGES, radius_of, stages
from jobs.families.translation import OF_STEPS, OTHERS_OF_FIXED, wrong_show
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.moments import beginnings
from jobs.settings.spec import JobSpec

SIDES = Sides(patches.SIDES.least, enlarging.SIDES.most)

_OF_LAYERS = OF_ENLARGERS.union(LOSSES.values())


def is_judged(spec: JobSpec) -> bool:
    """Whether there is a discriminator."""
    return "gan" in counting(spec.p3_losses)


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of the networks that there are."""
    planned = {name: each.layers for name, each in stages(spec, width, height).items()}
    if is_judged(spec):
        planned[DISCRIMINATOR] = discriminator(spec, width, height)
    return planned


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for what cannot be built, or cannot learn."""
    reasons = dict(wrong_sizes(spec, width, height, is_judged=is_judged(spec)))
    if reasons:  # layers cannot be planned
        return reasons
    for network, planned in layers(spec, width, height).items():
        draws = network in STAGES
        for layer in planned:
            dimension = "features" if draws else "df_dim"
            for column, reason in too_large(layer, spec, width=dimension, draws=draws):
                reasons.setdefault(column, f"layer {layer.number} {reason}")
    for column, reason in _wrong_training(spec, width, height):
        reasons.setdefault(column, reason)
    return reasons


def _wrong_training(spec: JobSpec, width: int, height: int) -> Iterator[tuple[str, str]]:
    for stage, column in LOSSES.items():
        judged = [term.name for term in getattr(spec, column) if term.name in JUDGED]
        if judged and stage != PERCEPTION:
            yield (
                column,
                f"names {judged[0]}, by a discriminator that there is in the last stage only; name "
                f"it in {LOSSES[PERCEPTION]}",
            )
    yield from wrong_learning(spec, width, height, tuple(LOSSES.values()))
    yield from wrong_show(spec, {"input", "bicubic", *STAGES, "output", "target"})


def notes(spec: JobSpec) -> Iterator[str]:
    """What is possible, but seldom meant."""
    begins_with_the_last = not any(beginnings(spec.ppon_stages, steps=100))
    if begins_with_the_last and not (spec.init_from or spec.interpolate_a):
        yield (
            f"ppon_stages {spec.ppon_stages} trains the last stage alone, on others that have "
            "learnt nothing; name under init_from a job whose have"
        )


def updates_of(spec: JobSpec) -> int:
    """Updates per step, with a batch each, of a stage that is not judged."""
    return spec.frames_per_step if is_judged(spec) else spec.nbr_g_updates


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step of the stage that takes most: all updates, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again; that of the first layer is not needed. Stages before are only gone
    through.
    """
    planned, high = layers(spec, width, height), high_of(spec, width, height)
    sums = {name: sum(layer.operations for layer in each) for name, each in planned.items()}
    judging = planned.get(DISCRIMINATOR, ())
    forwards, costs = 0, []
    for name, column in LOSSES.items():
        forwards += sums[name]
        update = 2 * sums[name] - planned[name][0].operations
        seen = counting(getattr(spec, column)).intersection(SEEN_BY_VGG16)
        update += 3 * vgg16.operations(*high) * len(seen)
        if name == PERCEPTION and judging:
            update_d = 2 * (3 * sums[DISCRIMINATOR] - judging[0].operations)
            update += 2 * sums[DISCRIMINATOR]
            if "feature" in counting(spec.p3_losses):
                update += 3 * sums[DISCRIMINATOR]
            costs.append(operations_of(spec, forwards, update_d, update))
        else:
            alone = {"nbr_d_updates": 1, "nbr_g_updates": updates_of(spec)}
            costs.append(operations_of(spec.model_copy(update=alone), forwards, 0, update))
    return max(costs)


def trained(spec: JobSpec) -> dict[str, Trained]:
    """What training keeps of the networks that there are."""
    drawing, judging = trained_pair(spec).values()
    kept = {**dict.fromkeys(STAGES, drawing._replace(is_averaged=False)), PERCEPTION: drawing}
    return {**kept, DISCRIMINATOR: judging} if is_judged(spec) else kept


PPON = Family(
    feeds=feeds,
    cell=cell,
    layers=layers,
    impossible=impossible,
    notes=notes,
    batches=lambda spec: spec.nbr_d_updates if is_judged(spec) else spec.nbr_g_updates,
    operations=operations,
    trained=trained,
    columns_of_layers=_OF_LAYERS,
    columns_of_steps=OF_STEPS | {"ppon_stages"},
    networks=(*STAGES, DISCRIMINATOR),
    application=Application(
        networks=STAGES[::-1],
        fixed=lambda spec, _width, _height: spec,
        least_side=lambda _: LEAST_SIDE,
        halvings=lambda _: 0,
        enlarges=lambda spec: spec.scale,
        radius=radius_of,
        restores=True,
        are_stages=True,
    ),
    averaged={"average": PERCEPTION},
    without=frozenset({*OTHERS_OF_FIXED, "convolution_g", "gf_dim"}),
    sides=SIDES,
)
