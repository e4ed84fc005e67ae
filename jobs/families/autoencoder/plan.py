"""Autoencoders before they are built: what sheets are checked by, shown and forecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jobs.families.autoencoder.layers import coding_of, halvings, least_side, operations_of
from jobs.families.family import Application, Family, Layers, Sides, Trained
from jobs.families.feed import PICTURES, Feed
from jobs.families.limits import too_large
from jobs.families.translation import (
    OF_LAYERS,
    OF_STEPS,
    OTHERS_OF_FIXED,
    SAMPLES,
    samples_like,
    shows,
    with_validation,
    wrong_show,
    wrong_terms,
)
from jobs.settings.kinds import Resolution
from jobs.settings.spec import COLUMNS, JobSpec, default_of, facets
from jobs.settings.streams import any_live

ENCODER, DECODER = "encoder", "decoder"
CURVE = "curve"  # below what a frame shows of a stream
LEAST_CURVE = 24  # pixels
SIDES = Sides(16, 8192)
MOST_LAYERS = 10  # of an encoder
# Terms of losses that compare without another network.
TERMS = (
    "l1", "l2", "charbonnier", "bce", "elastic", "multiscale-l1", "coarse-l1", "ssim", "ms-ssim",
    "tv",
)  # fmt: skip

# What a decoder is built of; and what else whoever decodes has to know.
DECODED_BY = ("net", "features", "latent_channels", "output_colours", "memory")
CODED_BY = (*DECODED_BY, "input_colours", "quantise", "precision")

_OF_LAYERS = (OF_LAYERS - {"gf_dim", "df_dim", "targets", "inputs", "loss", "freeze_d"}).union(
    {
        "net", "features", "latent_channels", "input_colours", "output_colours", "loss_colours",
        "losses", "optimizer_g", "validation", "quantise", "variable_rate", "rate_weight",
        "memory", "clip", "freeze_encoder", "snapshot", "keep_best", "stream", "fifo",
        "online_batch", "warm_up", "init_from",
    }
)  # fmt: skip
_OTHERS = (
    *OTHERS_OF_FIXED, "convolution_g", "gf_dim", "df_dim", "loss", "optimizer_d",
    "learning_rate_d", "schedule_d", "beta1_d", "gradient_clip_d", "nbr_d_updates",
    "label_smoothing", "instance_noise", "diffaugment", "perceptual", "freeze_d",
)  # fmt: skip


def feeds(spec: JobSpec) -> tuple[Feed, ...]:
    """The pictures that are coded; those that frames show; those that networks are measured by."""
    whole = Feed.of_dataset(spec)
    if spec.stream:
        whole = replace(whole, latest=spec.fifo, is_live=any_live(spec.folders))
    if spec.stream or not remembers(spec):
        return with_validation(whole, samples_like(whole, spec), spec)
    clips = replace(whole, frames=spec.clip, in_shots=True)
    (drawn, *others) = with_validation(clips, samples_like(clips, spec), spec)
    if not spec.sample_from:  # which may begin at any picture, as those to train on do not
        shown = replace(drawn, name=SAMPLES + PICTURES, weights=None, is_drawn=False)
        others = [shown, *others]
    return (replace(drawn, goes_on=True), *others)


def remembers(spec: JobSpec) -> bool:
    """Whether something goes on from frame to frame."""
    return spec.memory != "none"


def frames_of(spec: JobSpec) -> int:
    """The pictures of an item."""
    return spec.clip if remembers(spec) else 1


def pictures_shown(spec: JobSpec) -> tuple[str, ...]:
    """The pictures of a cell, from left to right."""
    return tuple(each for each in shows(spec) if each != CURVE)


def curve_height(spec: JobSpec, height: int) -> int:
    """Of the curve below pictures of this height, in pixels; 0: there is none."""
    return max(LEAST_CURVE, height // 6 * 2) if CURVE in shows(spec) else 0


def cell(spec: JobSpec, width: int, height: int) -> Resolution:
    """The size of a cell."""
    shown = len(pictures_shown(spec)) * width
    return Resolution(shown, height + curve_height(spec, height))


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of both networks."""
    coding = coding_of(spec, width, height)
    return {ENCODER: coding.encoder, DECODER: coding.decoder}


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for what cannot be built, or cannot learn."""
    if min(width, height) < (least := least_side(spec)):
        reason = f"{spec.net} takes {least} pixels a side, and pictures are {width}x{height}"
        return {"net": reason}
    reasons: dict[str, str] = {}
    for planned in layers(spec, width, height).values():
        for layer in planned:
            for column, reason in too_large(layer, spec, width="latent_channels", draws=True):
                reasons.setdefault(column, f"layer {layer.number} {reason}")
    for column, reason in _wrong_training(spec):
        reasons.setdefault(column, reason)
    return reasons


def _wrong_training(spec: JobSpec) -> Iterator[tuple[str, str]]:
    yield from wrong_terms(spec, TERMS)
    known = {"input", "output", "difference", CURVE if spec.stream else "latent"}
    yield from wrong_show(spec, known)
    yield from _wrong_stream(spec) if spec.stream else _without_stream(spec)
    if spec.colour_model != "rgb":
        yield (
            "colour_model",
            "is for families whose networks see and make the same colours; an autoencoder has "
            "input_colours and output_colours: leave it empty",
        )
    if remembers(spec) and spec.weights:
        yield (
            spec.column_of_pictures,
            "has weights, and with memory clips follow on each other in order; leave them out",
        )
    if not remembers(spec) and spec.clip != default_of("clip", spec.family):
        yield "clip", "has no effect without memory, which learns of clips; leave it empty"
    if spec.features and spec.net == "oval":
        yield "features", "has no effect on oval, which has none to count; leave it empty"
    if spec.variable_rate and spec.latent_channels == 1:
        yield "variable_rate", "needs more than one of latent_channels, to leave some out"
    if spec.rate_weight and spec.freeze_encoder:
        yield "rate_weight", "asks an encoder for fewer bits, and freeze_encoder keeps it as it is"
    elif spec.rate_weight and not spec.quantise:
        yield "rate_weight", "counts the bits of whole numbers, which quantise: 0 has none of"
    if not spec.validation and spec.keep_best != default_of("keep_best", spec.family):
        yield "keep_best", "has no effect without validation, which it goes by; leave it empty"
    if spec.snapshot.name == "update":
        yield (
            "snapshot",
            "update shows a frame after each network's turn, and here both learn at once; use step",
        )


def _wrong_stream(spec: JobSpec) -> Iterator[tuple[str, str]]:
    """What does not go with frames that are sent one by one."""
    if spec.samples > 1:
        column = "grid_width" if spec.grid_width > 1 else "grid_height"
        yield column, "must be 1: frames show the one picture that a receiver has"
    if spec.batch_size:
        yield "batch_size", "means nothing to a stream: online_batch says how many frames"
    if (spec.online_batch or 0) > spec.fifo:
        yield "online_batch", f"is more than the {spec.fifo} frames of fifo"
    if spec.sample_from:
        yield "sample_from", "means nothing to a stream, which frames show as it is received"
    if spec.held_out is not None:
        yield "validation", "takes no share of a stream, all of which is sent; name other pictures"
    if spec.weights:
        yield "stream", "has a weight, and each of its frames comes once; leave the weight out"
    if len(spec.stream or ()) > 1:
        yield "stream", f"names {len(spec.stream or ())} videos; it takes one"
    if spec.preprocessing.crop:
        yield "preprocess", "must cut out the same of all frames of a stream: center_crop, not crop"
    if remembers(spec):
        yield "memory", "must be none for a stream, whose weights change while it is sent"
    if spec.gpus > 1:
        yield "gpus", "must be 1: frames come one by one"
    if spec.flip:
        yield "flip", "has no place in a stream, which is sent as it is"
    if not spec.use_checkpoints:
        yield "use_checkpoints", "is needed by a stream, whose sent weights are in checkpoints"


def _without_stream(spec: JobSpec) -> Iterator[tuple[str, str]]:
    for column in COLUMNS:
        is_given = getattr(spec, column) != default_of(column, spec.family)
        if facets(column).needs == "stream" and is_given:
            yield column, "has no effect without stream; leave it empty"


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step: all updates, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again; that of the first layer is not needed.
    """
    coding = coding_of(spec, width, height)
    encoding, forwards = map(operations_of, (coding.encoder, (*coding.encoder, *coding.decoder)))
    updated = 3 * forwards - coding.encoder[0].operations
    if spec.freeze_encoder:
        updated = 3 * forwards - 2 * encoding - coding.decoder[0].operations
    trained = spec.nbr_g_updates * updated
    shown = spec.frames_per_step * spec.samples * forwards // spec.steps_per_frame
    return frames_of(spec) * (spec.images_per_batch * trained + shown)


def learning_networks(spec: JobSpec) -> tuple[str, ...]:
    """Those that learn."""
    return (DECODER,) if spec.freeze_encoder else (ENCODER, DECODER)


def trained(spec: JobSpec) -> dict[str, Trained]:
    """What training keeps of both."""
    learning = Trained(spec.optimizer_g, spec.ema > 0)
    frozen = Trained(spec.optimizer_g, frozen=MOST_LAYERS)
    return {
        name: learning if name in learning_networks(spec) else frozen for name in (ENCODER, DECODER)
    }


AUTOENCODER = Family(
    feeds=feeds,
    cell=cell,
    layers=layers,
    impossible=impossible,
    batches=lambda spec: spec.nbr_g_updates,
    operations=operations,
    trained=trained,
    columns_of_layers=_OF_LAYERS,
    columns_of_steps=OF_STEPS - {"nbr_d_updates"} | {"input_noise", "update_every", "update_life"},
    networks=(ENCODER, DECODER),
    application=Application(
        networks=(DECODER,),  # of what an encoder makes, which goes before it
        fixed=lambda spec, _width, _height: spec,
        least_side=least_side,
        halvings=halvings,
        remembers=remembers,
        rates=lambda spec: spec.latent_channels,
    ),
    streams=lambda spec: bool(spec.stream),
    averaged={"average_encoder": ENCODER, "average_decoder": DECODER},
    without=frozenset(_OTHERS),
    sides=SIDES,
)
