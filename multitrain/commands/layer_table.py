"""The layers of all networks with their sizes and memory, from their plans: `multitrain show`.

What is counted, in float32: the weights and statistics of a layer; for each of them that learns, a
gradient and what the optimizer keeps; for the generator with `ema`, a second copy; and what a layer
makes of one batch, once. What a framework holds besides for its gradients, and its own working
space, come on top; in bfloat16, a batch takes half.

Of families that say what is held for gradients, all of a step is reckoned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from jobs.families.family import Trained
from jobs.families.layer import Layer
from jobs.families.table import family_of
from jobs.settings.choices import Optimizer
from jobs.settings.colours import CHANNELS
from jobs.settings.spec import JobSpec
from jobs.units import bytes_for_people
from jobs.workspace.jobfile import JobFile

FLOAT32, BFLOAT16 = 4, 2  # bytes
# Beside what gradients need: pictures on their way from the generator and the data set through the
# augmentations, and what the largest layer is given and gives back at its own gradients.
PICTURES_AT_ONCE, WIDEST_AT_ONCE = 8, 4
CAPTION = (
    "in training: the weights, a gradient of each, what the optimizer keeps for each, and the "
    "average of `ema`; the weights alone take 4 bytes a parameter. a batch: what is made of one"
)

# Values that an optimizer keeps for each weight, with its parameters at their defaults.
SLOTS: Mapping[str, int] = {
    "adam": 2,
    "adamw": 2,
    "nadam": 2,
    "adamax": 2,
    "lamb": 2,
    "lion": 1,
    "sgd": 0,
    "rmsprop": 1,
    "adagrad": 1,
    "adadelta": 2,
    "adafactor": 1,
    "ftrl": 2,
    "muon": 1,
    "schedulefreeadamw": 2,
}
# Parameters that, if set, make an optimizer keep one value more for each weight.
_MORE: Mapping[str, Sequence[str]] = {
    "adam": ["amsgrad"],
    "adamw": ["amsgrad"],
    "sgd": ["momentum"],
    "rmsprop": ["momentum", "centered"],
}


@dataclass(frozen=True)
class LayerMemory:
    """A layer, and the bytes of its weights in training and of one batch of its values."""

    layer: Layer
    weights: int
    batch: int


def slots(optimizer: Optimizer) -> int:
    """How many values `optimizer` keeps for each weight."""
    more = _MORE.get(optimizer.name, [])
    return SLOTS[optimizer.name] + sum(bool(optimizer[parameter]) for parameter in more)


def networks(job: JobFile) -> dict[str, list[LayerMemory]]:
    """The layers of each network, with their memory; none of a family that trains nothing."""
    spec, family = job.spec, family_of(job.spec)
    trained = family.trained(spec)
    return {
        name: [_measured(layer, spec, trained[name]) for layer in layers]
        for name, layers in family.layers(spec, job.image_width, job.image_height).items()
    }


def step_bytes(job: JobFile) -> int | None:
    """About what a step holds at once of one device's memory; None where that is not reckoned.

    Measured on processors, with TensorFlow: see docs/benchmarks.md.
    """
    spec, family = job.spec, family_of(job.spec)
    if not family.held:
        return None
    share = spec.images_per_batch // spec.gpus
    layers = family.layers(spec, job.image_width, job.image_height)
    kept = sum(
        calls * sum(layer.kept for layer in layers[name]) for name, calls in family.held.items()
    )
    widest = max(
        layer.output.height * layer.output.width * layer.filters
        for each in layers.values()
        for layer in each
    )
    channels = CHANNELS[spec.colour_model].network
    pictures = PICTURES_AT_ONCE * job.image_width * job.image_height * channels
    of_value = BFLOAT16 if spec.precision == "bfloat16" else FLOAT32
    training = of_value * (share * kept + WIDEST_AT_ONCE * max(share, spec.samples) * widest)
    weights = sum(each.weights for measured in networks(job).values() for each in measured)
    return weights + training + FLOAT32 * share * pictures


def _measured(layer: Layer, spec: JobSpec, trained: Trained) -> LayerMemory:
    copies = 0  # of each weight, beside itself
    if layer.number > trained.frozen:
        copies = 1 + slots(trained.optimizer) + trained.is_averaged
    return LayerMemory(
        layer=layer,
        weights=layer.parameters * (1 + copies) * FLOAT32,
        batch=layer.output.values * spec.images_per_batch * FLOAT32,
    )


def table(layers: Mapping[str, Sequence[LayerMemory]], step: int | None = None) -> Table:
    """A row for each layer, one with the sums of each network, and their sum at the end.

    Below them stands what a `step` holds at once, in bytes.
    """
    caption = CAPTION
    if step is not None:
        caption += f". a step holds about {bytes_for_people(step)} at once, beside the pictures"
    result = Table(box=box.SIMPLE_HEAD, show_footer=True, caption=caption, caption_justify="left")
    total = [each for network in layers.values() for each in network]
    result.add_column("layer", "all networks")
    for name in ("kind", "kernel", "stride", "dilation", "output", "activation", "normalization"):
        result.add_column(name)
    for name, footer in zip(("parameters", "in training", "a batch"), _sums(total), strict=True):
        result.add_column(name, footer, justify="right")
    for network, measured in layers.items():
        for each in measured:
            result.add_row(f"{network} {each.layer.number}", *_cells(each))
        result.add_row(network, *[""] * 7, *_sums(measured), style="bold", end_section=True)
    return result


def for_machines(layers: Mapping[str, Sequence[LayerMemory]]) -> dict[str, object]:
    """The same as plain data: sizes in pixels and bytes."""
    return {network: [_plain(each) for each in measured] for network, measured in layers.items()}


def _plain(each: LayerMemory) -> dict[str, object]:
    layer = each.layer
    return {
        "layer": layer.number,
        "kind": layer.kind,
        "kernel": layer.kernel,
        "stride": layer.stride,
        "dilation": layer.dilation,
        "output": [layer.output.width, layer.output.height, layer.output.channels],
        "activation": str(layer.activation) if layer.activation else None,
        "normalization": layer.normalization,
        "dropout": layer.dropout,
        "noise": layer.noise,
        "parameters": layer.parameters,
        "weight_bytes": each.weights,
        "batch_bytes": each.batch,
    }


def _cells(each: LayerMemory) -> list[str]:
    layer = each.layer
    sizes = ["", "", ""]
    if layer.kernel:
        width, height = layer.kernel
        sizes = [f"{width}x{height}", str(layer.stride), str(layer.dilation)]
    activation = str(layer.activation) if layer.activation else ""
    normalization = "" if layer.normalization == "none" else layer.normalization
    return [layer.kind, *sizes, str(layer.output), activation, normalization, *_sums([each])]


def _sums(measured: Sequence[LayerMemory]) -> tuple[str, str, str]:
    return (
        f"{sum(each.layer.parameters for each in measured):,}",
        bytes_for_people(sum(each.weights for each in measured)),
        bytes_for_people(sum(each.batch for each in measured)),
    )
