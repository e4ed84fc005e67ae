"""White-box cartoonization before it is built: what sheets are checked by, shown and forecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from jobs.families import vgg16
from jobs.families.adversaries import operations_of, trained_pair, wrong_pretraining
from jobs.families.cartoon.layers import (
    HALVINGS,
    STAGES,
    discriminator,
    generator,
    judged,
    radius,
)
from jobs.families.family import Application, Family, Layers, Sides, Trained
from jobs.families.feed import Feed
from jobs.families.limits import too_large
from jobs.families.translation import (
    OF_LAYERS,
    OF_STEPS,
    OTHERS_OF_FIXED,
    TARGETS,
    cell,
    unpaired,
    wrong_show,
)
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.spec import COLUMNS, JobSpec
from jobs.settings.translation import Term

GENERATOR = "generator"
DISCRIMINATORS = {"surface": "discriminator_surface", "texture": "discriminator_texture"}

_BESIDE = (
    "l1", "l2", "charbonnier", "elastic", "multiscale-l1", "coarse-l1", "ssim", "ms-ssim",
    "perceptual",
)  # fmt: skip
_JUDGED = ("gan", "feature")
# What the generator wants of its pictures, and the terms that make sense of each.
TERMS = {
    "surface": _JUDGED,
    "texture": _JUDGED,
    "structure": _BESIDE,
    "content": _BESIDE,
    "idt": _BESIDE,
    "reg": ("tv", "contextual"),
}
_OF_LOSSES = {what: f"{what}_losses" for what in TERMS}  # the columns that name them
SIDES = Sides(16, 4096)
LEAST_SIDE = 5  # pixels: of smaller pictures, the smallest map is one pixel

_OF_LAYERS = OF_LAYERS.union(
    {"blocks", "perceptual", "optimizer_g", "pretrain_steps"},
    _OF_LOSSES.values(),
    (f"{what}_scale" for what in TERMS if f"{what}_scale" in COLUMNS),
)


def feeds(spec: JobSpec) -> tuple[Feed, ...]:
    """Targets and inputs, drawn apart; landscapes go with landscapes and faces with faces, where
    the folders of both have the same weights.
    """
    targets, inputs, *others = unpaired(spec)
    if inputs.weights == targets.weights:
        inputs = replace(inputs, sets_of=TARGETS)
    return (targets, inputs, *others)


class Wanted(NamedTuple):
    """A term of the generator's loss, and how much it counts there."""

    name: str
    weight: float


def wanted(spec: JobSpec, what: str) -> list[Wanted]:
    """The terms that are wanted of pictures' surface, say, as far as they count."""
    scale = getattr(spec, f"{what}_scale", 1.0)
    terms: tuple[Term, ...] = getattr(spec, _OF_LOSSES[what]) or ()
    return [Wanted(each.name, weight) for each in terms if (weight := scale * each["weight"])]


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of all networks."""
    seen = judged(spec, width, height)
    judging = {name: discriminator(spec, seen[what]) for what, name in DISCRIMINATORS.items()}
    return {GENERATOR: generator(spec, width, height).layers, **judging}


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for what cannot be built, or cannot learn."""
    reasons: dict[str, str] = {}
    for network, planned in layers(spec, width, height).items():
        draws = network == GENERATOR
        for layer in planned:
            dimension = "gf_dim" if draws else "df_dim"
            for column, reason in too_large(layer, spec, width=dimension, draws=draws):
                reasons.setdefault(column, f"layer {layer.number} {reason}")
    for column, reason in _wrong_training(spec):
        reasons.setdefault(column, reason)
    return reasons


def _wrong_training(spec: JobSpec) -> Iterator[tuple[str, str]]:
    yield from _wrong_terms(spec)
    yield from _wrong_perception(spec)
    yield from wrong_show(spec, {"input", "output"})
    if spec.colour_model not in vgg16.SEEN_AS_RGB:
        yield (
            "colour_model",
            f"{spec.colour_model} has no colours that could be mixed to grey; a cartoon takes "
            f"{', '.join(vgg16.SEEN_AS_RGB)}",
        )
    if spec.loss.name == "wgan-gp":
        yield "loss", "wgan-gp has no limits to keep beside spectral ones; use lsgan or hinge"
    yield from wrong_pretraining(spec)
    if spec.freeze_d > 2 * STAGES:
        yield (
            "freeze_d",
            f"leaves none of the discriminators' {2 * STAGES + 1} layers to learn; at most "
            f"{2 * STAGES}",
        )


def _wrong_terms(spec: JobSpec) -> Iterator[tuple[str, str]]:
    for what, known in TERMS.items():
        column = _OF_LOSSES[what]
        names = [term.name for term in getattr(spec, column) or ()]
        if unknown := [name for name in names if name not in known]:
            yield column, f"names {unknown[0]}, which is not for these; they are {', '.join(known)}"
        elif twice := next((name for name in names if names.count(name) > 1), None):
            yield column, f"names {twice} twice; once is enough"
    if not wanted(spec, "content"):
        yield "content_losses", "want nothing, so that any cartoon would do for any picture"


def _wrong_perception(spec: JobSpec) -> Iterator[tuple[str, str]]:
    seen = {
        _OF_LOSSES[what]: term.name
        for what in TERMS
        for term in wanted(spec, what)
        if term.name in SEEN_BY_VGG16
    }
    if seen and not spec.perceptual:
        for column, name in seen.items():
            yield (
                column,
                f"names {name}, for which perceptual must name a file with weights of VGG16; "
                "ms-ssim compares without any network",
            )
    elif spec.perceptual and not seen:
        yield (
            "perceptual",
            f"has no effect without {' or '.join(SEEN_BY_VGG16)} in a list of losses",
        )


def notes(spec: JobSpec) -> Iterator[str]:
    """What is possible, but seldom meant."""
    structure, content = (
        sum(term.weight for term in wanted(spec, what)) for what in ("structure", "content")
    )
    if structure > content:
        yield (
            f"structure (weights of {structure:g}) outweighs content ({content:g}): pictures may "
            "come down to flat colour; raise content_scale or lower structure_scale"
        )


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step after the first ones: all updates, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again. Discriminators judge what is made and what is wanted.
    """
    sums = {
        name: sum(layer.operations for layer in planned)
        for name, planned in layers(spec, width, height).items()
    }
    made, judging = sums[GENERATOR], sum(sums[name] for name in DISCRIMINATORS.values())
    update_d = 6 * judging
    update_g = 2 * judging + 2 * made + 3 * made * bool(wanted(spec, "idt"))
    for what in TERMS:
        seen = sum(term.name in SEEN_BY_VGG16 for term in wanted(spec, what))
        update_g += 3 * vgg16.operations(width, height) * seen
    return operations_of(spec, made, update_d, update_g)


def trained(spec: JobSpec) -> dict[str, Trained]:
    """What training keeps of all networks."""
    drawing, judging = trained_pair(spec).values()
    return {GENERATOR: drawing, **dict.fromkeys(DISCRIMINATORS.values(), judging)}


CARTOON = Family(
    feeds=feeds,
    cell=cell,
    layers=layers,
    impossible=impossible,
    notes=notes,
    batches=lambda spec: spec.nbr_d_updates,  # each of the discriminators' has one of its own
    operations=operations,
    trained=trained,
    columns_of_layers=_OF_LAYERS,
    columns_of_steps=OF_STEPS,
    networks=(GENERATOR, *DISCRIMINATORS.values()),
    application=Application(
        networks=(GENERATOR,),
        fixed=lambda spec, _width, _height: spec,
        least_side=lambda _: LEAST_SIDE,
        halvings=lambda _: HALVINGS,
        radius=radius,
    ),
    averaged={"average": GENERATOR},
    without=frozenset({*OTHERS_OF_FIXED, "convolution_g"}),
    sides=SIDES,
)
