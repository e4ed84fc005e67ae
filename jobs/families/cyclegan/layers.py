"""The plan of CycleGAN's networks: every layer with its sizes, channels and number of parameters.

Zhu et al. 2017, https://arxiv.org/abs/1703.10593, appendix 7.2. Pure arithmetic; networks are built
from these very plans. Each generator has its own, and they are alike; so are the discriminators.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from jobs.families import patches
from jobs.families.layer import Layer, Shape, square
from jobs.families.padding import padded
from jobs.settings.choices import Activation
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec

HALVINGS = 2  # before the residual blocks
OUTER_KERNEL, KERNEL = 7, 3
# Pixels: of smaller pictures, the innermost map is one pixel, which has no reflection.
LEAST_SIDE = (1 << HALVINGS) + 1
NORMALIZED = "plain-instance"
RELU = Activation("relu")
FEWER_BLOCKS, BLOCKS = 6, 9  # for pictures smaller than `LARGE`, and for others
LARGE = 256  # pixels of the longer side


@dataclass(frozen=True)
class ResNet:
    """`first` and `downs` inwards, residual `blocks` of two layers each, `ups` outwards, `last`.

    All is computed on pictures of `size`.
    """

    size: Resolution
    first: Layer
    downs: tuple[Layer, ...]
    blocks: tuple[tuple[Layer, Layer], ...]
    ups: tuple[Layer, ...]
    last: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        blocks = [layer for block in self.blocks for layer in block]
        return (self.first, *self.downs, *blocks, *self.ups, self.last)


def blocks_of(spec: JobSpec, width: int, height: int) -> int:
    """Residual blocks of a generator."""
    return spec.blocks or (BLOCKS if max(width, height) >= LARGE else FEWER_BLOCKS)


def generator(spec: JobSpec, width: int, height: int) -> ResNet:
    """From pictures of `width` x `height` pixels to others as large."""
    size = padded(width, height, HALVINGS)
    colours = CHANNELS[spec.colour_model].network
    maps = [
        Shape(size.height >> level, size.width >> level, spec.gf_dim << level)
        for level in range(HALVINGS + 1)
    ]
    picture = Shape(size.height, size.width, colours)
    numbers = iter(range(1, 1000))

    def layer(before: Shape, after: Shape, stride: int = 1, kind: str = "conv") -> Layer:
        return _layer(next(numbers), kind, before, after, KERNEL, stride)

    def block() -> tuple[Layer, Layer]:
        return layer(inner, inner), replace(layer(inner, inner), activation=None)

    first = _layer(next(numbers), "conv", picture, maps[0], OUTER_KERNEL, 1)
    downs = tuple(layer(maps[n], maps[n + 1], 2) for n in range(HALVINGS))
    inner = maps[-1]
    blocks = tuple(block() for _ in range(blocks_of(spec, width, height)))
    kinds = spec.convolution_g
    ups = tuple(
        layer(maps[n + 1], maps[n], 2, kinds[(HALVINGS - 1 - n) % len(kinds)])
        for n in reversed(range(HALVINGS))
    )
    last = _layer(next(numbers), "conv", maps[0], picture, OUTER_KERNEL, 1, is_last=True)
    return ResNet(size, first, downs, blocks, ups, last)


def discriminator(spec: JobSpec, width: int, height: int) -> tuple[Layer, ...]:
    """From pictures to a logit for each patch."""
    return patches.discriminator(spec, picture_of(spec, width, height), [NORMALIZED])


def picture_of(spec: JobSpec, width: int, height: int) -> Shape:
    """A picture as networks see it."""
    return Shape(height, width, CHANNELS[spec.colour_model].network)


def _layer(
    number: int,
    kind: str,
    before: Shape,
    after: Shape,
    kernel: int,
    stride: int,
    *,
    is_last: bool = False,
) -> Layer:
    return square(
        number,
        kind,
        before,
        after,
        kernel,
        stride=stride,
        activation=None if is_last else RELU,
        normalization="none" if is_last else NORMALIZED,
    )
