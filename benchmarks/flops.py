"""Floating-point operations of a training step, counted from the shapes of the layers.

Counted are the matrix products that convolutions and dense layers are made of: a multiplication and
an addition for each weight that a value meets, taps beyond the edge included, as profilers count.
Normalisation, activations, Adam and the drawing of random numbers come on top and are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs import layers
from jobs.jobfile import JobFile

PER_PRODUCT = 2  # a multiplication and an addition


def generator_layers(job: JobFile) -> list[int]:
    """Of one picture's way through each layer, from the latents on."""
    plan = layers.generator_layers(job.spec, job.image_width, job.image_height)
    return [_of_layer(layer) for layer in plan]


def discriminator_layers(job: JobFile) -> list[int]:
    """Of one picture's way through each layer, from the picture on."""
    plan = layers.discriminator_layers(job.spec, job.image_width, job.image_height)
    return [_of_layer(layer) for layer in plan]


def _of_layer(layer: layers.Layer) -> int:
    """Its weights, as often as they are laid on a pixel."""
    if layer.kernel is None:
        return PER_PRODUCT * layer.weights
    # Transposed: each pixel that comes in is spread by the whole kernel. Dilated: at stride 1.
    spreads = layer.kind in ("deconv", "subpixel")
    shrinks_later = layer.dilation > 1 and not layer.kind.startswith("upconv")
    side = layer.input if spreads or shrinks_later else layer.output
    return PER_PRODUCT * side.height * side.width * layer.weights


def of_step(job: JobFile) -> int:
    """Of one step: all updates of both networks, and its frames.

    Backwards, a layer costs as much for its weights as forwards, and as much again for what came
    in. A discriminator's update needs nothing of what came into its first layer, the generator's
    nothing of the latents, nor of the discriminator's weights. The generator's first update takes
    up the pass of the discriminator's last.
    """
    spec = job.spec
    generator, discriminator = generator_layers(job), discriminator_layers(job)
    passes = spec.nbr_d_updates + spec.nbr_g_updates - 1
    update_d = 2 * (2 * sum(discriminator) + _but_first(discriminator))  # pictures and fakes
    update_g = 2 * sum(discriminator) + sum(generator) + _but_first(generator)
    trained = (
        passes * sum(generator) + spec.nbr_d_updates * update_d + spec.nbr_g_updates * update_g
    )
    shown = spec.frames_per_step * spec.samples * sum(generator)
    return spec.images_per_batch * trained + shown


def of_product(size: int) -> int:
    """Of two square matrices with so many rows."""
    return PER_PRODUCT * size**3


def halved(size: int, times: int) -> int:
    """Pixels after so many convolutions of stride 2."""
    return int(-(-size // 2**times))


def _but_first(counts: Sequence[int]) -> int:
    return sum(counts[1:])
