"""Floating-point operations of a training step, counted from the shapes of the layers. Pure.

Counted are the matrix products that convolutions and dense layers are made of: a multiplication and
an addition for each weight that a value meets, taps beyond the edge included, as profilers count.
Normalisation, activations, Adam and the drawing of random numbers come on top and are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs.families.dcgan import layers
from jobs.families.dcgan.layers import SETTINGS_OF_LAYERS
from jobs.sheets.origins import WITHOUT_NETWORKS
from jobs.workspace.jobfile import JobFile
from jobs.workspace.remembered import remembered

PER_PRODUCT = 2  # a multiplication and an addition


def of_generator(job: JobFile) -> list[int]:
    """Operations of one picture in each layer, from the latents on."""
    plan = layers.generator_layers(job.spec, job.image_width, job.image_height)
    return [_of_layer(layer) for layer in plan]


def of_discriminator(job: JobFile) -> list[int]:
    """Operations of one picture in each layer, from the picture on."""
    plan = layers.discriminator_layers(job.spec, job.image_width, job.image_height)
    return [_of_layer(layer) for layer in plan]


def _of_layer(layer: layers.Layer) -> int:
    """Operations of one picture in a layer: two for each weight at each pixel it is laid on."""
    if layer.kernel is None:
        return PER_PRODUCT * layer.weights
    # Transposed layers spread each input pixel by the whole kernel. Dilated ones work at stride 1.
    spreads = layer.kind in ("deconv", "subpixel")
    shrinks_later = layer.dilation > 1 and not layer.kind.startswith("upconv")
    side = layer.input if spreads or shrinks_later else layer.output
    return PER_PRODUCT * side.height * side.width * layer.weights


@remembered({*SETTINGS_OF_LAYERS, "family", "nbr_d_updates", "nbr_g_updates", "snapshot"})
def of_step(job: JobFile) -> int:
    """Operations of one step: all updates of both networks, and its frames.

    Backwards, the gradients of a layer's weights cost as much as the layer does forwards, and those
    of its input as much again. The discriminator's update needs no gradients of the pictures, the
    generator's none of the latents and of the discriminator's weights. The generator's first update
    goes on from the pictures of the discriminator's last. 0 for a family without networks.
    """
    spec = job.spec
    if spec.family in WITHOUT_NETWORKS:
        return 0
    generator, discriminator = of_generator(job), of_discriminator(job)
    passes = spec.nbr_d_updates + spec.nbr_g_updates - 1
    update_d = 2 * (2 * sum(discriminator) + _but_first(discriminator))  # pictures and fakes
    update_g = 2 * sum(discriminator) + sum(generator) + _but_first(generator)
    trained = (
        passes * sum(generator) + spec.nbr_d_updates * update_d + spec.nbr_g_updates * update_g
    )
    shown = spec.frames_per_step * spec.samples * sum(generator)
    return spec.images_per_batch * trained + shown


def _but_first(counts: Sequence[int]) -> int:
    return sum(counts[1:])
