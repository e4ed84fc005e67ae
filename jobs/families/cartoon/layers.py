"""The plan of the networks of white-box cartoonization: every layer, its sizes and parameters.

Wang and Yu 2020, "Learning to cartoonize using white-box cartoon representations", CVPR,
supplementary material; the numbers of parameters are those that the authors' networks have. Pure
arithmetic; networks are built from these very plans.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.families.layer import Layer, Shape, square
from jobs.families.padding import padded
from jobs.settings.choices import Activation
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec

HALVINGS = 2
OUTER_KERNEL, KERNEL = 7, 3
LEAKY = Activation("lrelu")
BLOCKS = 4
STAGES = 3  # of the discriminator, each of which halves
TEXTURE_CHANNELS = 1


@dataclass(frozen=True)
class ResUNet:
    """A U-Net whose ways out are added to what comes from within, all on pictures of `size`.

    `first` sees them whole; the `downs` halve and then widen; `blocks` of two layers each; the
    `ups` are what follows where maps are small, of half the size, and whole.
    """

    size: Resolution
    first: Layer
    downs: tuple[tuple[Layer, Layer], ...]
    blocks: tuple[tuple[Layer, Layer], ...]
    ups: tuple[tuple[Layer, ...], ...]
    last: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        pairs = [layer for pair in (*self.downs, *self.blocks, *self.ups) for layer in pair]
        return (self.first, *pairs, self.last)


def generator(spec: JobSpec, width: int, height: int) -> ResUNet:
    """From pictures of `width` x `height` pixels to others as large."""
    size = padded(width, height, HALVINGS)
    picture = Shape(size.height, size.width, CHANNELS[spec.colour_model].network)
    numbers = iter(range(1, 1000))

    def at(level: int, channels: int) -> Shape:
        return Shape(size.height >> level, size.width >> level, channels)

    def layer(
        before: Shape, after: Shape, kernel: int = KERNEL, *, stride: int = 1, ends: bool = False
    ) -> Layer:
        activation = None if ends else LEAKY
        number = next(numbers)
        return square(number, "conv", before, after, kernel, stride=stride, activation=activation)

    dim = spec.gf_dim
    whole, half, small = at(0, dim), at(1, 2 * dim), at(2, 4 * dim)
    first = layer(picture, whole, OUTER_KERNEL)
    downs = tuple(
        (layer(before, at(level, before.channels), stride=2), layer(at(level, before.channels), to))
        for level, before, to in ((1, whole, half), (2, half, small))
    )
    blocks = tuple(
        (layer(small, small), layer(small, small, ends=True)) for _ in range(spec.blocks or BLOCKS)
    )
    ups = (
        (layer(small, at(2, 2 * dim)),),
        (layer(half, half), layer(half, at(1, dim))),
        (layer(whole, whole),),
    )
    last = layer(whole, picture, OUTER_KERNEL, ends=True)
    return ResUNet(size, first, downs, blocks, ups, last)


def discriminator(spec: JobSpec, picture: Shape) -> tuple[Layer, ...]:
    """From pictures to a logit for each of the smallest map's pixels."""
    return tuple(_judging(spec, picture))


def _judging(spec: JobSpec, before: Shape) -> Iterator[Layer]:
    number = 0
    for stage in range(STAGES):
        for stride in (2, 1):
            number += 1
            height, width = (-(-side // stride) for side in (before.height, before.width))
            after = Shape(height, width, spec.df_dim << stage)
            yield square(
                number,
                "conv",
                before,
                after,
                KERNEL,
                stride=stride,
                activation=LEAKY,
                normalization="spectral",
            )
            before = after
    yield square(
        number + 1,
        "conv",
        before,
        Shape(before.height, before.width, 1),
        1,
        normalization="spectral",
    )


def judged(spec: JobSpec, width: int, height: int) -> dict[str, Shape]:
    """What each discriminator sees."""
    colours = CHANNELS[spec.colour_model].network
    return {
        "surface": Shape(height, width, colours),
        "texture": Shape(height, width, TEXTURE_CHANNELS),
    }


def radius(spec: JobSpec) -> int:
    """How many pixels around one what is made of that depends on.

    As in `jobs.families.trees`, the pixels are followed back, for each place that one can
    have within a pixel of the smallest map.
    """
    whole = 1 << HALVINGS
    return max(
        max(place - first, last - place)
        for place in range(whole)
        for first, last in [_seen(spec, place)]
    )


def _seen(spec: JobSpec, place: int) -> tuple[int, int]:
    """The pixels in a row that the one at this place depends on."""
    reach, outer = KERNEL // 2, OUTER_KERNEL // 2
    by = spec.output_filter
    beyond = 2 * by["radius"] if by.name != "none" else 0  # means of what means are taken of
    first, last = place - beyond - outer - reach, place + beyond + outer + reach
    first, last = (first - 1) // 2 - 2 * reach, (last + 1) // 2 + 2 * reach  # enlarged; two layers
    first, last = (first - 1) // 2 - reach, (last + 1) // 2 + reach
    blocks = 2 * (spec.blocks or BLOCKS) * reach
    first, last = first - blocks, last + blocks
    for _ in range(HALVINGS):  # widened, and halved before
        first, last = 2 * (first - reach) - reach, 2 * (last + reach) + reach
    return first - outer, last + outer
