"""Super-resolution before it is built: what sheets are checked by, shown and forecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jobs.families import vgg16
from jobs.families.adversaries import operations_of, trained_pair, wrong_pretraining
from jobs.families.family import Application, Family, Layers, Sides, Trained
from jobs.families.feed import PICTURES, Feed
from jobs.families.limits import too_large
from jobs.families.patches import wrong_freeze, wrong_patch
from jobs.families.superres.genomes import Genome
from jobs.families.superres.layers import (
    discriminator,
    generator,
    high_of,
    is_judged,
    judged,
    low_of,
    net_of,
    parts_of,
    radius_of,
)
from jobs.families.superres.parts import halvings_of
from jobs.families.translation import (
    INPUTS,
    OF_LAYERS,
    OF_STEPS,
    OTHERS_OF_FIXED,
    SAMPLES,
    TARGETS,
    TERMS_OF_PAIRS,
    VALIDATION,
    samples_like,
    shows,
    with_validation,
    wrong_show,
    wrong_terms,
)
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.colours import CHANNELS, RGBA
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec, default_of, names_of
from jobs.settings.translation import Degradation

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
JUDGED = ("gan", "feature")  # terms that a discriminator has a say in
SHRINK, VIDEO = "shrink", "video"
# Low pictures of a feed that are made once, when it is decoded.
LOW = {PICTURES: INPUTS, SAMPLES + PICTURES: SAMPLES + INPUTS, VALIDATION: f"low_{VALIDATION}"}
SIDES = Sides(16, 8192)
LEAST_INSIDE = 8  # pixels a side that the loss sees: some halve pictures twice
LEAST_SIDE = 4  # pixels of what is given: windows of several losses, and reflections, need a few

_OF_LAYERS = (OF_LAYERS - {"gf_dim"}).union(
    {
        "net", "genome", "clip", "scale", "features", "blocks", "skip", "degrade", "border",
        "losses", "turn", "perceptual", "patch", "pretrain_steps", "optimizer_g", "validation",
        "keep_best", "nbr_d_updates", "snapshot",
    }
)  # fmt: skip


def feeds(spec: JobSpec) -> tuple[Feed, ...]:
    """High pictures, of which low ones are made, at each step or once; or pairs of both."""
    whole = replace(Feed.of_dataset(spec), frames=frames_of(spec))
    if spec.inputs:
        low = names_of(spec.inputs)
        high = replace(whole, name=TARGETS)
        return (high, Feed(INPUTS, low, pair_of=TARGETS, factor=spec.scale, column="inputs"))
    every, codec = with_validation(whole, samples_like(whole, spec), spec), codec_of(spec)
    return (*every, *(_low(each, spec, codec) for each in every if codec))


def _low(high: Feed, spec: JobSpec, codec: Degradation) -> Feed:
    """What a video keeps of the same pictures, made smaller."""
    name = LOW[high.name]
    return replace(high, name=name, pair_of=high.name, factor=spec.scale, codec=codec)


def codec_of(spec: JobSpec) -> Degradation | None:
    """What low pictures are kept as a video by, before steps see them; None: they are not."""
    first = spec.degrade[0] if spec.degrade and not spec.inputs else None
    return first if first and first.name == VIDEO else None


def frames_of(spec: JobSpec) -> int:
    """The pictures of an item."""
    return spec.clip if net_of(spec).remembers else 1


def degradations(spec: JobSpec) -> tuple[Degradation, ...]:
    """The steps by which low pictures are made of what is given, one of which shrinks them.

    Those of a video are small already.
    """
    steps = spec.degrade or ()
    if codec_of(spec):
        return steps[1:]
    if any(step.name == SHRINK for step in steps):
        return steps
    return (Degradation(SHRINK), *steps)


def cell(spec: JobSpec, width: int, height: int) -> Resolution:
    """What frames show of a sample, side by side; a low picture is shown as large as a high one."""
    high = high_of(spec, width, height)
    return Resolution(len(shows(spec)) * high.width, high.height)


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of the networks that there are."""
    planned = {GENERATOR: generator(spec, width, height).layers}
    if is_judged(spec):
        planned[DISCRIMINATOR] = discriminator(spec, width, height)
    return planned


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for what cannot be built, or cannot learn."""
    reasons = dict(_wrong_genome(spec)) or dict(_wrong_sizes(spec, width, height))
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


def _wrong_sizes(spec: JobSpec, width: int, height: int) -> Iterator[tuple[str, str]]:
    low = low_of(spec, width, height)
    if min(low) < LEAST_SIDE:
        yield (
            "scale",
            f"{spec.scale} leaves {low} of pictures of {width}x{height}; the network needs "
            f"{LEAST_SIDE} pixels a side",
        )
    elif is_judged(spec):
        yield from wrong_patch(spec, judged(spec, width, height))


def _wrong_training(spec: JobSpec, width: int, height: int) -> Iterator[tuple[str, str]]:
    yield from wrong_terms(spec, TERMS_OF_PAIRS)
    names = {term.name for term in spec.losses if term["weight"]}
    if "feature" in names and "gan" not in names:
        yield "losses", "names feature, by a discriminator that there is only with gan; add gan"
    if spec.perceptual and not names.intersection(SEEN_BY_VGG16):
        yield "perceptual", f"has no effect without {' or '.join(SEEN_BY_VGG16)} in losses"
    elif reason := vgg16.unfit_colours(spec):
        yield "perceptual", reason
    for name in SEEN_BY_VGG16:
        if name in names and not spec.perceptual:
            yield (
                "losses",
                f"names {name}, for which perceptual must name a file with weights of VGG16; "
                "ms-ssim compares without any network",
            )
    yield from _wrong_beginning(spec, names)
    yield from _wrong_degrading(spec)
    if not is_judged(spec):
        for column in ("patch", "freeze_d", "nbr_d_updates"):
            if getattr(spec, column) != default_of(column, spec.family):
                yield column, "has no effect without gan in losses; leave it empty"
        if spec.snapshot.name == "update":
            yield (
                "snapshot",
                "update shows a frame after each network's turn, and here is one network alone; "
                "use step",
            )
    else:
        yield from wrong_freeze(spec)
        if spec.loss.name == "wgan-gp":
            yield "loss", "wgan-gp has no limits to keep beside spectral ones; use hinge or vanilla"
    yield from wrong_show(spec, {"input", "output", "target", "bicubic"})
    for column in ("blocks", "features"):
        if getattr(spec, column) and not getattr(net_of(spec), column):
            yield column, f"has no effect on {spec.net}, which has none to count; leave it empty"
    if not net_of(spec).remembers and spec.clip != default_of("clip", spec.family):
        yield "clip", f"has no effect on {spec.net}, which sees pictures one by one; leave it empty"
    high = high_of(spec, width, height)
    if spec.turn and high.width != high.height:
        yield "turn", f"needs square pictures, and these are {high}; set crop_size to a square"
    if min(high) - 2 * spec.border < LEAST_INSIDE:
        yield (
            "border",
            f"{spec.border} leaves less than {LEAST_INSIDE} pixels a side of pictures of {high}",
        )
    if not spec.validation and spec.keep_best != default_of("keep_best", spec.family):
        yield "keep_best", "has no effect without validation, which it goes by; leave it empty"
    for column in ("sample_from", "validation"):
        if getattr(spec, column) and spec.inputs:
            yield column, "is for dataset, of which low pictures are made; leave it empty"


def _wrong_beginning(spec: JobSpec, names: set[str]) -> Iterator[tuple[str, str]]:
    if not spec.pretrain_steps:
        return
    if "gan" not in names:
        yield "pretrain_steps", "are steps without gan, which losses do not have; leave it 0"
    elif not names.difference(JUDGED, {"tv"}):
        yield "losses", "have nothing for pretrain_steps, which leave out gan and feature; add l1"
    yield from wrong_pretraining(spec)


def _wrong_degrading(spec: JobSpec) -> Iterator[tuple[str, str]]:
    steps = [step.name for step in spec.degrade or ()]
    if VIDEO in steps[1:]:
        yield (
            "degrade",
            "has video behind another step; it is made beforehand, of the pictures as they are, so "
            "it stands first, and once",
        )
    elif VIDEO in steps and SHRINK in steps:
        yield "degrade", "shrinks, and video is made of small pictures already; take shrink out"
    elif VIDEO in steps and CHANNELS[spec.colour_model].picture == RGBA:
        yield "degrade", f"makes a video, which keeps no alpha; {spec.colour_model} has it"
    elif steps.count(SHRINK) > 1:
        yield "degrade", f"shrinks {steps.count(SHRINK)} times; scale says by how much, once"
    elif spec.scale == 1 and SHRINK in steps:
        yield "degrade", "shrinks, and scale 1 leaves pictures as large; take shrink out"
    elif spec.scale == 1 and not steps and not spec.inputs:
        yield (
            "scale",
            "1 has nothing to learn where low pictures are the high ones; say under degrade what "
            "becomes of them, or name inputs",
        )


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
    feeds=feeds,
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
