"""What is wrong with the layers of a job, found before anything is built."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.families.dcgan.layers import Network, column, discriminator_layers, generator_layers
from jobs.families.layer import Layer, Shape
from jobs.families.limits import too_large
from jobs.settings.spec import JobSpec

Reasons = Iterator[tuple[str, str]]


def impossible(spec: JobSpec, width: int, height: int) -> dict[str, str]:
    """One reason for each column that asks for a network that cannot be built or cannot learn.

    Pictures are `width` x `height` pixels.
    """
    reasons: dict[str, str] = {}
    plans: dict[Network, tuple[Layer, ...]] = {
        "g": generator_layers(spec, width, height),
        "d": discriminator_layers(spec, width, height),
    }
    for network, layers in plans.items():
        for layer in layers:
            for name, reason in _wrong_with(layer, network, spec):
                reasons.setdefault(name, f"layer {layer.number} {reason}")
    if spec.freeze_d >= spec.nbr_of_layers_d:
        reasons["freeze_d"] = (
            f"leaves none of the discriminator's {spec.nbr_of_layers_d} layers to learn; "
            f"at most {spec.nbr_of_layers_d - 1}"
        )
    return reasons


def _wrong_with(layer: Layer, network: Network, spec: JobSpec) -> Reasons:
    yield from _wrong_convolution(layer)
    yield from _wrong_values(layer, network)
    yield from _wrong_size(layer, network, spec)


def _wrong_convolution(layer: Layer) -> Reasons:
    if layer.kind == "deconv" and layer.stride > 1 and layer.dilation > 1:
        yield (
            "dilation_g",
            f"enlarges {_pixels(layer.input)} to {_pixels(layer.output)} pixels by a deconv, which "
            f"cannot be dilated by {layer.dilation}; set dilation_g or stride_g to 1 there, "
            f"or convolution_g to upconv",
        )
    if layer.kind.startswith("upconv") and layer.kernel:
        sides = (layer.output.width, layer.output.height)
        beyond = [-(-(side - 1) * layer.dilation // 2) for side in layer.kernel]
        if any(reflected >= side for reflected, side in zip(beyond, sides, strict=True)):
            yield (
                "convolution_g",
                f"makes {_pixels(layer.output)} pixels, too few for its "
                f"{layer.kernel[0]}x{layer.kernel[1]} kernel, which mirrors {beyond[0]} of them "
                f"beyond the sides and {beyond[1]} beyond top and bottom; use a smaller kernel "
                f"there, or deconv",
            )


def _wrong_values(layer: Layer, network: Network) -> Reasons:
    """Normalizations and activations that make the same of whatever they are given."""
    pixels = layer.output.height * layer.output.width
    if layer.activation and layer.activation.name == "softmax" and layer.filters == 1:
        yield f"activation_{network}", "has one channel, and softmax makes 1 of any one value"
    averaged = {
        "layer": pixels * layer.filters,
        "instance": pixels,
        "pixel": layer.filters,
    }
    if averaged.get(layer.normalization) == 1:
        yield (
            f"normalization_{network}",
            f"makes {layer.output}, where {layer.normalization} normalization is of single values, "
            f"of which it leaves nothing; use another one, or fewer layers",
        )


def _wrong_size(layer: Layer, network: Network, spec: JobSpec) -> Reasons:
    width = "filters_" + network if column(spec, "filters", network) else f"{network}f_dim"
    yield from too_large(layer, spec, width=width, draws=network == "g")


def _pixels(shape: Shape) -> str:
    return f"{shape.width}x{shape.height}"
