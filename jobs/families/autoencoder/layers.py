"""The plan of an autoencoder's networks: every layer with its sizes, channels and parameters.

Pure arithmetic; networks are built from these very plans. The encoder makes latents of a picture,
the decoder a picture of these. Layers are numbered through both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise
from typing import NamedTuple

from jobs.families.layer import Layer, Shape, square
from jobs.families.padding import padded
from jobs.settings.choices import Activation
from jobs.settings.colours import channels_of
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec

RELU, LEAKY, SIGMOID = Activation("relu"), Activation("lrelu"), Activation("sigmoid")


class Step(NamedTuple):
    """A convolution without padding: its channels, the side of its kernels, its stride."""

    filters: int
    kernel: int
    stride: int


# The last one makes the latents, of as many channels as a job asks for.
OVAL = (Step(6, 3, 1), Step(8, 3, 2), Step(9, 4, 1), Step(10, 3, 3), Step(10, 3, 2))

FEATURES = 16  # channels of the outermost layers of `small`, where a job does not say
KERNEL = 5  # of its encoder
HALVINGS = 3  # of pictures, by it
GATES = 4  # of a convolutional LSTM, for each channel that it keeps
OF_STATE = 2  # what it has made, and its cells
KERNEL_OF_MEMORY = 3
LEAST_OF_SMALL = 8  # pixels a side: what is padded is a reflection of what is there


@dataclass(frozen=True)
class Coding:
    """Both networks for pictures of `picture` pixels, computed on pictures of `size`.

    Of a decoder that `remembers`, the first layer has the gates of a convolutional LSTM, which sees
    the latents, and what it made of those before; the next one sees both as well.
    """

    picture: Resolution
    size: Resolution
    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    pads: bool  # convolutions see beyond the edges of their maps; False: they make smaller ones
    remembers: bool = False

    @property
    def latents(self) -> Shape:
        """Of one picture."""
        return self.encoder[-1].output

    @property
    def state(self) -> Shape:
        """Of what goes on from one frame to the next, of a decoder that remembers."""
        return _wider(self.latents, OF_STATE)


def coding_of(spec: JobSpec, width: int, height: int) -> Coding:
    """The networks of a job for pictures of `width` x `height` pixels."""
    coding = (_oval if spec.net == "oval" else _small)(spec, Resolution(width, height))
    return coding if spec.memory == "none" else _remembering(coding)


def least_side(spec: JobSpec) -> int:
    """Pixels that a side of pictures needs."""
    if spec.net != "oval":
        return LEAST_OF_SMALL
    side = 1
    for step in reversed(OVAL):
        side = (side - 1) * step.stride + step.kernel
    return side


def halvings(spec: JobSpec) -> int:
    """How often pictures are halved, whose sizes are padded for it."""
    return 0 if spec.net == "oval" else HALVINGS


def _remembering(coding: Coding) -> Coding:
    """The same with a convolutional LSTM before the decoder's layers, of as many channels as the
    latents have. Shi et al. 2015, https://arxiv.org/abs/1506.04214, without peepholes.
    """
    latents, (first, *others) = coding.latents, coding.decoder
    both = _wider(latents, 2)
    gates = square(first.number, "conv", both, _wider(latents, GATES), KERNEL_OF_MEMORY)
    later = [replace(each, number=each.number + 1) for each in (first, *others)]
    later[0] = replace(later[0], input=both)
    return replace(coding, decoder=(gates, *later), remembers=True)


def _wider(shape: Shape, times: int) -> Shape:
    return replace(shape, channels=times * shape.channels)


def _oval(spec: JobSpec, picture: Resolution) -> Coding:
    """Unpadded convolutions and, the other way round, their transposes.

    A transposed convolution makes as many pixels as the convolution that it mirrors was given:
    those at the end of which no kernel knows, where strides leave some out, hold its bias alone.
    """
    steps = (*OVAL[:-1], OVAL[-1]._replace(filters=spec.latent_channels))
    maps = [Shape(picture.height, picture.width, channels_of(spec.input_colours))]
    for step in steps:
        height, width = (
            (side - step.kernel) // step.stride + 1 for side in (maps[-1].height, maps[-1].width)
        )
        maps.append(Shape(height, width, step.filters))
    numbers = count(1)
    encoder = tuple(
        square(
            next(numbers),
            "conv",
            before,
            after,
            step.kernel,
            stride=step.stride,
            activation=None if step is steps[-1] else RELU,
        )
        for step, (before, after) in zip(steps, pairwise(maps), strict=True)
    )
    back = [Shape(picture.height, picture.width, channels_of(spec.output_colours)), *maps[1:]]
    decoder = tuple(
        square(
            next(numbers),
            "deconv",
            back[place + 1],
            back[place],
            steps[place].kernel,
            stride=steps[place].stride,
            activation=SIGMOID if place == 0 else RELU,
        )
        for place in reversed(range(len(steps)))
    )
    return Coding(picture, picture, encoder, decoder, pads=False)


def _small(spec: JobSpec, picture: Resolution) -> Coding:
    """Three convolutions that halve, and back by such as are convolved after they are enlarged,
    which make no checkerboards.
    """
    features = spec.features or FEATURES
    size = padded(*picture, HALVINGS)
    inwards = (features, 2 * features, spec.latent_channels)
    maps = [Shape(size.height, size.width, channels_of(spec.input_colours))]
    for channels in inwards:
        maps.append(Shape(maps[-1].height // 2, maps[-1].width // 2, channels))
    numbers = count(1)
    encoder = tuple(
        square(
            next(numbers),
            "conv",
            before,
            after,
            KERNEL,
            stride=2,
            activation=None if after is maps[-1] else LEAKY,
        )
        for before, after in pairwise(maps)
    )
    first = Shape(maps[-1].height, maps[-1].width, 3 * features)
    decoder = [square(next(numbers), "conv", maps[-1], first, 3, activation=LEAKY)]
    for channels in (2 * features, features):
        decoder.append(_enlarging(next(numbers), decoder[-1].output, channels, LEAKY))
    colours = channels_of(spec.output_colours)
    decoder.append(_enlarging(next(numbers), decoder[-1].output, colours, SIGMOID))
    return Coding(picture, size, encoder, tuple(decoder), pads=True)


def _enlarging(number: int, before: Shape, channels: int, activation: Activation) -> Layer:
    after = Shape(2 * before.height, 2 * before.width, channels)
    return square(number, "fused-upconv", before, after, 3, stride=2, activation=activation)


def operations_of(layers: Sequence[Layer]) -> int:
    """Of one picture, forwards."""
    return sum(layer.operations for layer in layers)
