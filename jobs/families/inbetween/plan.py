"""Frames between frames before the network is built: what sheets are checked by and shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jobs.families.family import Application, Family, Layers, Sides, Trained
from jobs.families.feed import Feed
from jobs.families.inbetween.layers import HALVINGS, Interpolator
from jobs.families.limits import too_large
from jobs.families.translation import (
    OF_LAYERS,
    OTHERS_OF_FIXED,
    cell,
    samples_like,
    with_validation,
    wrong_show,
    wrong_terms,
)
from jobs.settings.spec import COLUMNS, JobSpec

GENERATOR = "generator"
SIDES = Sides(16, 8192)
LEAST_CLIP = 3
PACKED = "packed24"  # three colours in one number
TERMS = (
    "l1", "l2", "charbonnier", "elastic", "multiscale-l1", "coarse-l1", "ssim", "ms-ssim", "tv",
)  # fmt: skip

# Settings of discriminators: what is made is compared with frames, and nobody judges it.
_OF_JUDGES = frozenset(
    {
        *(name for name in COLUMNS if name.endswith("_d") or name == "nbr_d_updates"),
        "df_dim", "loss", "label_smoothing", "instance_noise", "diffaugment", "perceptual",
    }
)  # fmt: skip
_OF_LAYERS = (OF_LAYERS - _OF_JUDGES - {"gf_dim", "targets", "inputs"}).union(
    {"clip", "features", "blocks", "losses", "validation"}
)


def feeds(spec: JobSpec) -> tuple[Feed, ...]:
    """Clips, none of which has a cut."""
    whole = replace(Feed.of_dataset(spec), frames=spec.clip, in_shots=True)
    return with_validation(whole, samples_like(whole, spec), spec)


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """Those of the one network."""
    return {GENERATOR: Interpolator.of(spec, width, height).layers}


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for what cannot be built, or cannot learn."""
    reasons: dict[str, str] = {}
    for layer in layers(spec, width, height)[GENERATOR]:
        for column, reason in too_large(layer, spec, width="features", draws=True):
            reasons.setdefault(column, f"layer {layer.number} {reason}")
    for column, reason in _wrong_training(spec):
        reasons.setdefault(column, reason)
    return reasons


def _wrong_training(spec: JobSpec) -> Iterator[tuple[str, str]]:
    yield from wrong_terms(spec, TERMS)
    yield from wrong_show(spec, {"output", "blend", "target"})
    if spec.colour_model == PACKED:
        yield "colour_model", f"{PACKED} has other colours between two, not those between; use rgb"
    if spec.clip < LEAST_CLIP:
        yield "clip", f"{spec.clip} leaves no frame between the first and the last; 3 has one"
    if spec.snapshot.name == "update":
        yield (
            "snapshot",
            "update shows a frame after each network's turn, and here is one network alone; use "
            "step",
        )


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step: all updates, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again.
    """
    made = Interpolator.of(spec, width, height).operations
    between = spec.clip - 2
    shown = spec.frames_per_step * spec.samples * made // spec.steps_per_frame
    return spec.nbr_g_updates * spec.images_per_batch * between * 3 * made + shown


INBETWEEN = Family(
    feeds=feeds,
    cell=cell,
    layers=layers,
    impossible=impossible,
    batches=lambda spec: spec.nbr_g_updates,
    operations=operations,
    trained=lambda spec: {GENERATOR: Trained(spec.optimizer_g, is_averaged=spec.ema > 0)},
    columns_of_layers=_OF_LAYERS,
    columns_of_steps=frozenset({"nbr_g_updates", "snapshot", "sample_motion"}),
    networks=(GENERATOR,),
    application=Application(
        networks=(GENERATOR,),
        fixed=lambda spec, _width, _height: spec,
        least_side=lambda _: SIDES.least,
        halvings=lambda _: HALVINGS,
        is_between=True,
    ),
    averaged={"average": GENERATOR},
    without=_OF_JUDGES.union(OTHERS_OF_FIXED, {"convolution_g", "gf_dim"}),
    sides=SIDES,
)
