"""The plan of FastGAN's networks: every layer with its sizes, channels and number of parameters.

Liu et al. 2021, https://arxiv.org/abs/2101.04775. Pure arithmetic; networks are built from these
very plans.

Maps have *levels*: the picture is the highest, and each level is half as large as the one above it,
rounding up, down to level 0, whose longer side is 3 or 4. So level 1 is of 8 pixels, level 2 of 16,
level 4 of 64, more or less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jobs.families.family import Sides
from jobs.families.layer import LINEAR, Layer, Shape
from jobs.settings.choices import Activation
from jobs.settings.colours import CHANNELS
from jobs.settings.spec import JobSpec

SIDES = Sides(64, 2048)
DEEP, MIDDLE = 1, 2  # levels of the maps that the discriminator's pictures are decoded from
_OF_DIMENSIONS = 4  # the level that has `gf_dim` or `df_dim` channels: 64 pixels
MOST_TIMES, LEAST_SHARE = 8, 8  # channels are at most so many times that, and at least this part

EXCITED_BY = 4  # levels from a map to the one that it excites: 8 pixels to 128
HIGHEST_EXCITING = 3  # the level of 32 pixels
SQUEEZED = 4  # rows and columns that a map is averaged to before it excites

MOST_DOUBLINGS = 4  # of a decoder: its pictures have 128 pixels at most
SMALL_PICTURE = 5  # the level of 128 pixels, at which the second scale judges at most

RELU = Activation("lrelu")
GLU = Activation("glu")  # half of the channels, each gated by one of the other half
SIGMOID = Activation("sigmoid")
NORMALIZED = "batch"
SPECTRAL = "spectral"


class Size(NamedTuple):
    """Of a map."""

    height: int
    width: int


class Excitation(NamedTuple):
    """A map's channels are scaled by what a smaller map, `source` levels from the lowest, holds."""

    source: int
    squeeze: Layer
    gate: Layer


@dataclass(frozen=True)
class Generator:
    """`stages` makes the map of each level above the lowest; excitations are by level."""

    start: Layer
    stages: tuple[Layer, ...]
    excitations: dict[int, Excitation]
    last: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        def in_order() -> Iterator[Layer]:
            yield self.start
            for level, stage in enumerate(self.stages, 1):
                yield stage
                if excitation := self.excitations.get(level):
                    yield excitation.squeeze
                    yield excitation.gate
            yield self.last

        return tuple(in_order())


class Block(NamedTuple):
    """A residual block: `shrink` and then `mix` beside `skip`."""

    shrink: Layer
    mix: Layer
    skip: Layer


@dataclass(frozen=True)
class Discriminator:
    """The way of whole pictures, and that of pictures that were made smaller `small` times."""

    first: Layer
    blocks: tuple[Block, ...]
    head: tuple[Layer, Layer]
    small: int
    trunk: tuple[Layer, ...]
    small_head: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        blocks = [layer for block in self.blocks for layer in block]
        return (self.first, *blocks, *self.head, *self.trunk, self.small_head)


@dataclass(frozen=True)
class Decoder:
    """Layers from a map to a picture: some that enlarge, and the one that makes its colours."""

    stages: tuple[Layer, ...]
    last: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (*self.stages, self.last)


class Decoders(NamedTuple):
    """Of whole pictures from their deep map, of parts from `window` pixels of their middle map."""

    whole: Decoder
    part: Decoder
    window: Size

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (*self.whole.layers, *self.part.layers)


def levels(width: int, height: int) -> tuple[Size, ...]:
    """The size of the map of each level, the lowest first."""
    sizes = [Size(height, width)]
    while max(sizes[0]) > SQUEEZED:
        sizes.insert(0, Size(*(-(-side // 2) for side in sizes[0])))
    return tuple(sizes)


def generator(spec: JobSpec, width: int, height: int) -> Generator:
    """From latents to pictures of exactly `width` x `height` pixels."""
    sizes, numbers = levels(width, height), _Numbers()
    normalization = NORMALIZED if spec.batch_norm_g else SPECTRAL

    def channels(level: int) -> int:
        return _channels(spec.gf_dim, level)

    def enlarging(number: int, before: Shape, level: int) -> Layer:
        return _enlarging(
            number,
            before,
            Shape(*sizes[level], channels(level)),
            normalization,
            injects_noise=True,
        )

    start = _layer(
        numbers.next(),
        LINEAR,
        Shape(1, 1, spec.z_dim),
        Shape(*sizes[0], channels(0)),
        filters=2 * channels(0),
        activation=GLU,
        normalization=normalization,
    )
    stages: list[Layer] = []
    excitations: dict[int, Excitation] = {}
    for level in range(1, len(sizes)):
        stages.append(enlarging(numbers.next(), (stages[-1] if stages else start).output, level))
        source = level - EXCITED_BY
        if 0 <= source <= HIGHEST_EXCITING:
            squeeze = _layer(
                numbers.next(),
                "excitation",
                Shape(SQUEEZED, SQUEEZED, channels(source)),
                Shape(1, 1, channels(level)),
                kernel=SQUEEZED,
                stride=SQUEEZED,
                activation=RELU,
                normalization=SPECTRAL,
            )
            gate = _layer(
                numbers.next(),
                "conv",
                squeeze.output,
                squeeze.output,
                kernel=1,
                activation=SIGMOID,
                normalization=SPECTRAL,
            )
            excitations[level] = Excitation(source, squeeze, gate)
    last = _colouring(numbers.next(), stages[-1].output, spec)
    return Generator(start, tuple(stages), excitations, last)


def discriminator(spec: JobSpec, width: int, height: int) -> Discriminator:
    """From pictures of `width` x `height` pixels to their logits, place by place."""
    sizes, numbers = levels(width, height), _Numbers()
    inner, outer = (NORMALIZED, "none") if spec.batch_norm_d else (SPECTRAL, SPECTRAL)

    def at(level: int, share: int = 1) -> Shape:
        return Shape(*sizes[level], -(-_channels(spec.df_dim, level) // share))

    def shrinking(before: Shape, after: Shape, normalization: str = inner) -> Layer:
        return _layer(
            numbers.next(),
            "conv",
            before,
            after,
            4,
            2,
            activation=RELU,
            normalization=normalization,
        )

    def judging(before: Shape) -> Layer:
        after = Shape(before.height, before.width, 1)
        return _layer(numbers.next(), "conv", before, after, 4, normalization=outer)

    top = len(sizes) - 1
    picture = Shape(*sizes[top], CHANNELS[spec.colour_model].network)
    first = shrinking(picture, at(top - 1), outer)
    blocks = []
    for level in range(top - 2, DEEP - 1, -1):
        before, after = at(level + 1), at(level)
        shrink = shrinking(before, after)
        mix = _layer(numbers.next(), "conv", after, after, 3, activation=RELU, normalization=inner)
        skip = _layer(
            numbers.next(),
            "pooled-conv",
            before,
            after,
            kernel=1,
            stride=2,
            activation=RELU,
            normalization=inner,
        )
        blocks.append(Block(shrink, mix, skip))
    deep = at(DEEP)
    narrowing = _layer(numbers.next(), "conv", deep, deep, 1, activation=RELU, normalization=inner)
    head = (narrowing, judging(deep))

    small = min(top - 1, SMALL_PICTURE)
    reduced = Shape(*sizes[small], picture.channels)
    trunk = [shrinking(reduced, at(small - 1, share=2), outer)]
    trunk += [
        shrinking(at(level + 1, share=2), at(level, share=2))
        for level in range(small - 2, DEEP - 1, -1)
    ]
    return Discriminator(
        first, tuple(blocks), head, top - small, tuple(trunk), judging(trunk[-1].output)
    )


def decoders(spec: JobSpec, width: int, height: int) -> Decoders:
    """From the discriminator's maps back to pictures, and to parts of them."""
    sizes, numbers = levels(width, height), _Numbers()
    doublings = min(MOST_DOUBLINGS, len(sizes) - 1 - MIDDLE)
    rows, columns = (-(-side // 2) for side in sizes[MIDDLE])

    def decoder(level: int, of: Sequence[Size]) -> Decoder:
        before = Shape(*of[0], _channels(spec.df_dim, level))
        stages = []
        for step, size in enumerate(of[1:], 1):
            channels = -(-_channels(spec.df_dim, level + step) // 2)
            stages.append(_enlarging(numbers.next(), before, Shape(*size, channels), NORMALIZED))
            before = stages[-1].output
        return Decoder(tuple(stages), _colouring(numbers.next(), before, spec))

    window = [Size(rows * 2**step, columns * 2**step) for step in range(doublings + 1)]
    whole = decoder(DEEP, sizes[DEEP : DEEP + doublings + 1])
    return Decoders(whole, decoder(MIDDLE, window), window[0])


def _channels(dimension: int, level: int) -> int:
    """Channels of the maps of a level: half as many as those of the level below it."""
    if level <= _OF_DIMENSIONS:
        return dimension * min(MOST_TIMES, 1 << (_OF_DIMENSIONS - level))
    return -(-dimension // min(LEAST_SHARE, 1 << (level - _OF_DIMENSIONS)))


def _enlarging(
    number: int, before: Shape, after: Shape, normalization: str, *, injects_noise: bool = False
) -> Layer:
    return _layer(
        number,
        "fused-upconv",
        before,
        after,
        kernel=3,
        stride=2,
        filters=2 * after.channels,
        activation=GLU,
        normalization=normalization,
        injects_noise=injects_noise,
    )


def _colouring(number: int, before: Shape, spec: JobSpec) -> Layer:
    after = Shape(before.height, before.width, CHANNELS[spec.colour_model].network)
    return _layer(number, "conv", before, after, kernel=3)


def _layer(
    number: int,
    kind: str,
    before: Shape,
    after: Shape,
    kernel: int | None = None,
    stride: int = 1,
    *,
    filters: int | None = None,
    activation: Activation | None = None,
    normalization: str = "none",
    **more: Any,
) -> Layer:
    return Layer(
        number=number,
        kind=kind,
        input=before,
        filters=filters or after.channels,
        output=after,
        kernel=(kernel, kernel) if kernel else None,
        stride=stride,
        dilation=1,
        activation=activation,
        normalization=normalization,
        dropout=0.0,
        noise=0.0,
        **more,
    )


class _Numbers:
    """Of layers, from 1."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last += 1
        return self._last
