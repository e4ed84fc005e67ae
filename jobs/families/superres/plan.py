"""Super-resolution before it is built: what sheets are checked by, shown and forecast."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.families import vgg16
from jobs.families.adversaries import operations_of, trained_pair, wrong_pretraining
from jobs.families.enlarging import (
    DISCRIMINATOR,
    JUDGED,
    LEAST_SIDE,
    OF_ENLARGERS,
    SIDES,
    cell,
    counting,
    discriminator,
    feeds,
    high_of,
    wrong_learning,
    wrong_sizes,
)
from jobs.families.family import Application, Family, Layers, Trained
from jobs.families.limits import too_large
from jobs.families.superres.genomes import Genome
from jobs.families.superres.layers import generator, is_judged, net_of, parts_of, radius_of
from jobs.families.translation import OF_STEPS, OTHERS_OF_FIXED, wrong_show
from jobs.families.trees import halvings_of
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.spec import JobSpec, default_of

GENERATOR = "generator"

_OF_LAYERS = OF_ENLARGERS.union({"net", "genome", "clip", "skip", "losses", "pretrain_steps"})


def frames_of(spec: JobSpec) -> int:
    """The pictures of an item."""
    return spec.clip if net_of(spec).remembers else 1


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of the networks that there are."""
    planned = {GENERATOR: generator(spec, width, height).layers}
    if is_judged(spec):
        planned[DISCRIMINATOR] = discriminator(spec, width, height)
    return planned


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for what cannot be built, or cannot learn."""
    reasons = dict(_wrong_genome(spec)) or dict(
        wrong_sizes(spec, width, height, is_judged=is_judged(spec))
    )
    if reasons:  # layers cannot be planned
        return reasons
    for network, planned in layers(spec, width, height).items():
        draws = network == GENERATOR
        for layer in planned:
            dimension = "features" if draws else "df_dim"
            for column, reason in too_large(layer, spec, width=dimension, draws=draws):
                reasons.setdefault(column, f"layer {layer.number} {reason}")
    for column, reason in _wrong_training(spec, width, height):
        reasons.setdefault(column, reason)
    return reasons


def _wrong_genome(spec: JobSpec) -> Iterator[tuple[str, str]]:
    if spec.net != "genome":
        if spec.genome:
            yield "genome", f"has no effect on {spec.net}; set net to genome, or leave it empty"
        return
    try:
        Genome.parse(spec.genome or "")
    except ValueError as error:
        yield "genome", str(error)


def _wrong_training(spec: JobSpec, width: int, height: int) -> Iterator[tuple[str, str]]:
    yield from wrong_learning(spec, width, height, ("losses",))
    yield from _wrong_beginning(spec, counting(spec.losses))
    yield from wrong_show(spec, {"input", "output", "target", "bicubic"})
    for column in ("blocks", "features"):
        if getattr(spec, column) and not getattr(net_of(spec), column):
            yield column, f"has no effect on {spec.net}, which has none to count; leave it empty"
    if not net_of(spec).remembers and spec.clip != default_of("clip", spec.family):
        yield "clip", f"has no effect on {spec.net}, which sees pictures one by one; leave it empty"


def _wrong_beginning(spec: JobSpec, names: set[str]) -> Iterator[tuple[str, str]]:
    if not spec.pretrain_steps:
        return
    if "gan" not in names:
        yield "pretrain_steps", "are steps without gan, which losses do not have; leave it 0"
    elif not names.difference(JUDGED, {"tv"}):
        yield "losses", "have nothing for pretrain_steps, which leave out gan and feature; add l1"
    yield from wrong_pretraining(spec)


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step: all updates, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again; that of the first layer is not needed.
    """
    planned, frames = layers(spec, width, height), frames_of(spec)
    made = [frames * layer.operations for layer in planned[GENERATOR]]
    judging = [frames * layer.operations for layer in planned.get(DISCRIMINATOR, ())]
    update_d = 2 * (3 * sum(judging) - judging[0]) if judging else 0
    update_g = 2 * sum(judging) + 2 * sum(made) - made[0]
    names = {term.name for term in spec.losses}
    if "feature" in names:
        update_g += 3 * sum(judging)
    high = high_of(spec, width, height)
    update_g += 3 * vgg16.operations(*high) * len(names.intersection(SEEN_BY_VGG16))
    if not judging:  # one pass for each update
        spec = spec.model_copy(update={"nbr_d_updates": 1})
    return operations_of(spec, sum(made), update_d, update_g)


def trained(spec: JobSpec) -> dict[str, Trained]:
    """What training keeps of the networks that there are."""
    both = trained_pair(spec)
    return both if is_judged(spec) else {GENERATOR: both[GENERATOR]}


SUPERRES = Family(
    feeds=lambda spec: feeds(spec, frames_of(spec)),
    cell=cell,
    layers=layers,
    impossible=impossible,
    batches=lambda spec: spec.nbr_d_updates if is_judged(spec) else spec.nbr_g_updates,
    operations=operations,
    trained=trained,
    columns_of_layers=_OF_LAYERS,
    columns_of_steps=OF_STEPS,
    networks=(GENERATOR, DISCRIMINATOR),
    application=Application(
        networks=(GENERATOR,),
        fixed=lambda spec, _width, _height: spec,
        least_side=lambda _: LEAST_SIDE,
        halvings=lambda spec: halvings_of(parts_of(spec)),
        enlarges=lambda spec: spec.scale,
        radius=radius_of,
        restores=True,
        remembers=lambda spec: net_of(spec).remembers,
    ),
    averaged={"average": GENERATOR},
    without=frozenset({*OTHERS_OF_FIXED, "convolution_g", "gf_dim"}),
    sides=SIDES,
)
