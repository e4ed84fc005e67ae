"""The plan of pix2pix's networks: every layer with its sizes, channels and number of parameters.

Isola et al. 2017, https://arxiv.org/abs/1611.07004, appendix 6.1. Pure arithmetic; networks are
built from these very plans.

The U-Net halves pictures `downs` times and doubles them as often; what was made on the way down is
seen again on the way up. Pictures of other sizes are padded for it: see `padded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from jobs.families import patches
from jobs.families.layer import Layer, Shape, square
from jobs.families.padding import padded
from jobs.settings.choices import Activation
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec

MOST_DOWNS = 8  # of a U-Net by the size of its pictures: to one pixel, of 256
MOST_TIMES = 8  # channels are at most so many times those of the outermost layer, unpeeled
KERNEL = 4
KERNEL_OF_RESIZED = 3  # a picture that is resized, or not yet, has no holes to fill
WITH_DROPOUT = 3  # layers of the way up, at most, and only the widest behind the innermost one

RELU, LEAKY = Activation("relu"), patches.LEAKY

T = TypeVar("T")


@dataclass(frozen=True)
class UNet:
    """`downs` from the picture inwards, then `ups` outwards, the last of which makes the picture.

    What a layer of `ups` is given is what the one before it made, behind what the layer of `downs`
    of the same size made; the innermost one is given what the last of `downs` made. All is computed
    on pictures of `size`.
    """

    size: Resolution
    downs: tuple[Layer, ...]
    ups: tuple[Layer, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (*self.downs, *self.ups)


def halvings(width: int, height: int) -> int:
    """How often pictures are halved where nothing else is said."""
    return min(MOST_DOWNS, min(width, height).bit_length() - 1)


def most_downs(width: int, height: int) -> int:
    """How often pictures can be halved at most: a side is padded by less than itself on each end.

    More would be a reflection of reflections.
    """
    shorter = min(width, height)
    downs = 1
    while -(-((1 << (downs + 1)) - shorter) // 2) < shorter:
        downs += 1
    return downs


def generator(spec: JobSpec, width: int, height: int) -> UNet:
    """From inputs to pictures of `width` x `height` pixels."""
    downs = spec.downs or halvings(width, height)
    size = padded(width, height, downs)
    colours = CHANNELS[spec.colour_model].network
    channels = [
        spec.gf_dim * min(MOST_TIMES, 1 << min(level + spec.peel, MOST_DOWNS))
        for level in range(downs)
    ]
    inner = _inner(spec, "g")
    maps = [Shape(size.height, size.width, colours)]
    maps += [
        Shape(size.height >> level, size.width >> level, channels[level - 1])
        for level in range(1, downs + 1)
    ]

    down: list[Layer] = []
    for level in range(downs):
        is_innermost, is_outermost = level == downs - 1, level == 0
        down.append(
            square(
                level + 1,
                "conv",
                maps[level],
                maps[level + 1],
                KERNEL,
                stride=2,
                activation=RELU if is_innermost else LEAKY,
                # A norm of the innermost map, which may be one pixel, would leave nothing of it.
                normalization="none" if is_innermost or is_outermost else _of(inner, level - 1),
                has_bias=False if (is_innermost or is_outermost) and inner[0] in _OFFSETS else None,
            )
        )
    up: list[Layer] = []
    for level in range(downs - 1, -1, -1):
        below = maps[level + 1]
        if up:  # beside what was made on the way down
            below = Shape(below.height, below.width, 2 * below.channels)
        place, is_last = len(up), level == 0
        is_wide = place and maps[level].channels == MOST_TIMES * spec.gf_dim
        kind = _of(spec.convolution_g, place)
        up.append(
            square(
                downs + place + 1,
                kind,
                below,
                maps[level],
                KERNEL if kind == "deconv" else KERNEL_OF_RESIZED,
                stride=2,
                activation=None if is_last else RELU,
                normalization="none" if is_last else _of(inner, downs - 2 + place),
                dropout=_of(spec.dropout_g, place - 1)
                if is_wide and place <= WITH_DROPOUT
                else 0.0,
            )
        )
    return UNet(size, tuple(down), tuple(up))


def discriminator(spec: JobSpec, width: int, height: int) -> tuple[Layer, ...]:
    """From pictures, behind their inputs where it sees these, to a logit for each patch."""
    inner = _inner(spec, "d")
    outer = "spectral" if inner[0] == "spectral" else "none"
    return patches.discriminator(spec, judged(spec, width, height), inner, outer)


def judged(spec: JobSpec, width: int, height: int) -> Shape:
    """What the discriminator sees."""
    colours = CHANNELS[spec.colour_model].network
    return Shape(height, width, (1 + spec.conditional) * colours)


_OFFSETS = ("batch", "layer", "instance")  # normalizations that have them


def _inner(spec: JobSpec, network: str) -> Sequence[str]:
    """Normalizations of the layers that have one."""
    given: Sequence[str] | None = getattr(spec, f"normalization_{network}")
    return given or ("batch" if getattr(spec, f"batch_norm_{network}") else "none",)


def _of(entries: Sequence[T], place: int) -> T:
    """The entry for a layer: they are repeated."""
    return entries[place % len(entries)]
