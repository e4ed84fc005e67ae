"""What families have in common that make pictures larger or cleaner: pictures, cells, mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from jobs.families import patches, vgg16
from jobs.families.family import Sides
from jobs.families.feed import PICTURES, Feed
from jobs.families.layer import Layer, Shape
from jobs.families.patches import wrong_freeze, wrong_patch
from jobs.families.translation import (
    INPUTS,
    OF_LAYERS,
    SAMPLES,
    TARGETS,
    TERMS_OF_PAIRS,
    VALIDATION,
    samples_like,
    shows,
    with_validation,
    wrong_terms,
)
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.colours import CHANNELS, RGBA
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import shrunk
from jobs.settings.spec import JobSpec, default_of, names_of
from jobs.settings.translation import Degradation, Term

DISCRIMINATOR = "discriminator"
JUDGED = ("gan", "feature")  # terms that a discriminator has a say in
ALONE = tuple(name for name in TERMS_OF_PAIRS if name not in JUDGED)
SHRINK, VIDEO = "shrink", "video"
NORMALIZED = "spectral"  # layers of the discriminator
# Low pictures of a feed that are made once, when it is decoded.
LOW = {PICTURES: INPUTS, SAMPLES + PICTURES: SAMPLES + INPUTS, VALIDATION: f"low_{VALIDATION}"}
SIDES = Sides(16, 8192)
FACTORS: Mapping[int, tuple[int, ...]] = {1: (), 2: (2,), 3: (3,), 4: (2, 2)}  # by scale
LEAST_INSIDE = 8  # pixels a side that the loss sees: some halve pictures twice
LEAST_SIDE = 4  # pixels of what is given: windows of several losses, and reflections, need a few

# Columns on which depends, in all of these families, what layers there are.
OF_ENLARGERS = (OF_LAYERS - {"gf_dim"}).union(
    {
        "scale", "features", "blocks", "degrade", "border", "turn", "perceptual", "patch",
        "optimizer_g", "validation", "keep_best", "nbr_d_updates", "snapshot",
    }
)  # fmt: skip


def high_of(spec: JobSpec, width: int, height: int) -> Resolution:
    """What is made of pictures of `width` x `height`: the largest size that `scale` divides."""
    return Resolution(width - width % spec.scale, height - height % spec.scale)


def low_of(spec: JobSpec, width: int, height: int) -> Resolution:
    """What the network is given, to make that."""
    return shrunk(Resolution(width, height), spec.scale)


def judged(spec: JobSpec, width: int, height: int) -> Shape:
    """What a discriminator sees."""
    high = high_of(spec, width, height)
    return Shape(high.height, high.width, CHANNELS[spec.colour_model].network)


def discriminator(spec: JobSpec, width: int, height: int) -> tuple[Layer, ...]:
    """From pictures to a logit for each patch."""
    return patches.discriminator(spec, judged(spec, width, height), [NORMALIZED], NORMALIZED)


def feeds(spec: JobSpec, frames: int = 1) -> tuple[Feed, ...]:
    """High pictures, of which low ones are made, at each step or once; or pairs of both.

    Items are clips of so many `frames`, where there are more than one.
    """
    whole = replace(Feed.of_dataset(spec), frames=frames)
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


def counting(terms: Sequence[Term]) -> set[str]:
    """The names of those that have a weight."""
    return {term.name for term in terms if term["weight"]}


def wrong_sizes(
    spec: JobSpec, width: int, height: int, *, is_judged: bool
) -> Iterator[tuple[str, str]]:
    """Whether pictures are too small for the networks, so that these cannot be planned."""
    low = low_of(spec, width, height)
    if min(low) < LEAST_SIDE:
        yield (
            "scale",
            f"{spec.scale} leaves {low} of pictures of {width}x{height}; the network needs "
            f"{LEAST_SIDE} pixels a side",
        )
    elif is_judged:
        yield from wrong_patch(spec, judged(spec, width, height))


def wrong_learning(
    spec: JobSpec, width: int, height: int, lists: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Whether networks cannot learn so.

    `lists` are the columns that name terms of losses, of one phase after the other; there is a
    discriminator by the last one, or none.
    """
    *earlier, last = lists
    for column in earlier:
        yield from wrong_terms(spec, ALONE, column)
    yield from wrong_terms(spec, TERMS_OF_PAIRS, last)
    names = {column: counting(getattr(spec, column)) for column in lists}
    is_judged = "gan" in names[last]
    if "feature" in names[last] and not is_judged:
        yield last, "names feature, by a discriminator that there is only with gan; add gan"
    yield from _wrong_perception(spec, names)
    yield from _wrong_degrading(spec)
    yield from _wrong_judging(spec) if is_judged else _judged_by_none(spec, last)
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


def _wrong_perception(spec: JobSpec, lists: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    seen = {name for names in lists.values() for name in names}.intersection(SEEN_BY_VGG16)
    if spec.perceptual and not seen:
        yield (
            "perceptual",
            f"has no effect without {' or '.join(SEEN_BY_VGG16)} in {' or '.join(lists)}",
        )
    elif reason := vgg16.unfit_colours(spec):
        yield "perceptual", reason
    for column, names in lists.items():
        for name in SEEN_BY_VGG16:
            if name in names and not spec.perceptual:
                yield (
                    column,
                    f"names {name}, for which perceptual must name a file with weights of VGG16; "
                    "ms-ssim compares without any network",
                )


def _wrong_judging(spec: JobSpec) -> Iterator[tuple[str, str]]:
    yield from wrong_freeze(spec)
    if spec.loss.name == "wgan-gp":
        yield "loss", "wgan-gp has no limits to keep beside spectral ones; use hinge or vanilla"


def _judged_by_none(spec: JobSpec, column: str) -> Iterator[tuple[str, str]]:
    for each in ("patch", "freeze_d", "nbr_d_updates"):
        if getattr(spec, each) != default_of(each, spec.family):
            yield each, f"has no effect without gan in {column}; leave it empty"
    if spec.snapshot.name == "update":
        yield (
            "snapshot",
            "update shows a frame after each network's turn, and here is one network alone; "
            "use step",
        )


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
