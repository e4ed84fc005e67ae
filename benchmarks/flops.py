"""Floating-point operations of a training step, counted from the shapes of the layers.

Counted are the matrix products that convolutions and dense layers are made of: a multiplication and
an addition for each weight that a value meets, taps beyond the edge included, as profilers count.
Normalisation, activations, Adam and the drawing of random numbers come on top and are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs.jobfile import JobFile

COLOURS = 3
PER_PRODUCT = 2  # a multiplication and an addition


def generator_layers(job: JobFile) -> list[int]:
    """Of one picture's way through each layer, from the latents on."""
    spec = job.spec
    depth = spec.nbr_of_layers_g
    sizes = _sizes(job, depth)[::-1]
    channels = [spec.gf_dim * 2**layer for layer in reversed(range(depth - 1))] + [COLOURS]
    counts = [PER_PRODUCT * spec.z_dim * sizes[0] * channels[0]]
    for layer in range(1, depth):
        # Transposed: each pixel that comes in is spread by the whole kernel.
        weights = channels[layer - 1] * channels[layer] * spec.k_w * spec.k_h
        counts.append(PER_PRODUCT * sizes[layer - 1] * weights)
    return counts


def discriminator_layers(job: JobFile) -> list[int]:
    """Of one picture's way through each layer, from the picture on."""
    spec = job.spec
    depth = spec.nbr_of_layers_d
    sizes = _sizes(job, depth)
    channels = [COLOURS] + [spec.df_dim * 2**layer for layer in range(depth - 1)]
    counts = []
    for layer in range(1, depth):
        weights = channels[layer - 1] * channels[layer] * spec.k_w * spec.k_h
        counts.append(PER_PRODUCT * sizes[layer] * weights)
    counts.append(PER_PRODUCT * sizes[-1] * channels[-1])
    return counts


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
    """Pixels after so many convolutions of stride 2. Here once more: no framework is imported."""
    return int(-(-size // 2**times))


def _but_first(layers: Sequence[int]) -> int:
    return sum(layers[1:])


def _sizes(job: JobFile, depth: int) -> list[int]:
    """Pixels, from the picture's size on to where it was halved `depth - 1` times."""
    return [
        halved(job.image_height, times) * halved(job.image_width, times) for times in range(depth)
    ]
