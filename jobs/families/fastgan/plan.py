"""FastGAN before it is built: what sheets are checked by, shown and forecast."""

from __future__ import annotations

from jobs.families import vgg16
from jobs.families.adversaries import operations_of, trained_pair
from jobs.families.family import Family, Layers, Trained
from jobs.families.fastgan.layers import SIDES, Decoder, decoders, discriminator, generator
from jobs.families.limits import too_large
from jobs.settings.spec import COLUMNS_OF_SIZE, JobSpec

# The settings that decide what layers there are and how large their values.
_OF_LAYERS = frozenset(
    {
        *COLUMNS_OF_SIZE, "dataset", "grid_width", "grid_height", "batch_size", "gpus",
        "colour_model", "z_dim", "gf_dim", "df_dim", "batch_norm_g", "batch_norm_d", "perceptual",
    }
)  # fmt: skip
# Settings of single layers: here, the paper sets them.
_SET_BY_THE_PAPER = (
    "nbr_of_layers", "filters", "k_w", "k_h", "stride", "dilation", "convolution", "activation",
    "normalization", "dropout", "noise",
)  # fmt: skip


def layers(spec: JobSpec, width: int, height: int) -> Layers:
    """The layers of all networks."""
    return {
        "generator": generator(spec, width, height).layers,
        "discriminator": discriminator(spec, width, height).layers,
        "decoder": decoders(spec, width, height).layers,
    }


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column by which a layer would be too large, or that cannot be had."""
    reasons: dict[str, str] = {}
    if reason := vgg16.unfit_colours(spec):
        reasons["perceptual"] = reason
    for network, planned in layers(spec, width, height).items():
        draws = network == "generator"
        dimension = "gf_dim" if draws else "df_dim"
        for layer in planned:
            for column, reason in too_large(layer, spec, width=dimension, draws=draws):
                reasons.setdefault(column, f"layer {layer.number} {reason}")
    return reasons


def operations(spec: JobSpec, width: int, height: int) -> int:
    """Operations of one step: all updates, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again. The discriminator's update needs no gradients of pictures, the
    generator's none of latents and of the discriminator's weights.
    """
    made, judged, decoded = (
        [layer.operations for layer in each] for each in layers(spec, width, height).values()
    )
    plan = discriminator(spec, width, height)
    of_pictures = plan.first.operations + plan.trunk[0].operations
    update_d = 2 * (3 * sum(judged) - of_pictures) + 3 * sum(decoded)
    if spec.perceptual:  # of pictures made, and wanted; and back to those made
        update_d += 3 * sum(map(_looked_at, decoders(spec, width, height)[:2]))
    update_g = 2 * sum(judged) + 2 * sum(made) - made[0]
    return operations_of(spec, sum(made), update_d, update_g)


def _looked_at(decoder: Decoder) -> int:
    """Operations of VGG16's first stages for the picture that a decoder makes."""
    picture = decoder.last.output
    return vgg16.operations(picture.width, picture.height)


def trained(spec: JobSpec) -> dict[str, Trained]:
    """What training keeps of each network."""
    return {**trained_pair(spec), "decoder": Trained(spec.optimizer_d)}


FASTGAN = Family(
    layers=layers,
    impossible=impossible,
    batches=lambda spec: spec.nbr_d_updates,  # each of the discriminator's has one of its own
    operations=operations,
    trained=trained,
    columns_of_layers=_OF_LAYERS,
    columns_of_steps=frozenset({"nbr_d_updates", "nbr_g_updates", "snapshot"}),
    networks=("generator", "discriminator", "decoder"),
    sampler="generator",
    averaged={"average": "generator"},
    held={"generator": 1, "discriminator": 2, "decoder": 1},
    without=frozenset(
        {"k_w", "k_h", *(f"{name}_{network}" for name in _SET_BY_THE_PAPER for network in "gd")}
    ),
    sides=SIDES,
)
