"""The plan of a network that makes the frame between two, from coarse to fine.

At each size, from a 16th of the pictures to a half, it sees both moved by what it found at the size
before, and corrects that: how far all moves, and which of them shows a place. The same layers do it
at all sizes, so that what they learn of small motion goes for large motion. At full size, others
correct the colours. After the idea of Kong et al. 2022, https://arxiv.org/abs/2205.14620, and of
Huang et al. 2022, https://arxiv.org/abs/2011.06294; only pictures are moved, never maps.
"""

from __future__ import annotations

from dataclasses import dataclass

from jobs.families.layer import Layer, Shape, square
from jobs.families.padding import padded
from jobs.settings.choices import Activation
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec

HALVINGS = 4  # of the coarsest maps
FEATURES, BLOCKS = 32, 3  # where a sheet does not say
KERNEL = 3
MOTION = 2  # pixels to the right and down, from the middle to the second picture
SHOWN = 1  # which of the two pictures shows a place
CORRECTIONS = 2  # layers at full size before the last one
LEAKY = Activation("lrelu", (("slope", 0.1),))


@dataclass(frozen=True)
class Interpolator:
    """A network for pictures of `seen` pixels, computed on pictures of `size`.

    - motion: layers that are used at each size, planned for the largest; the last one makes the
      motion and what shows.
    - colours: layers at full size; the last one makes what is added to the colours.
    """

    seen: Resolution
    size: Resolution
    channels: int
    motion: tuple[Layer, ...]
    colours: tuple[Layer, ...]

    @classmethod
    def of(cls, spec: JobSpec, width: int, height: int) -> Interpolator:
        """That of a job with pictures of `width` x `height` pixels."""
        channels = CHANNELS[spec.colour_model].network
        size = padded(width, height, HALVINGS)
        features, blocks = spec.features or FEATURES, spec.blocks or BLOCKS
        half = Shape(size.height // 2, size.width // 2, 2 * channels + MOTION + SHOWN)
        motion = _layers(1, half, features, blocks, MOTION + SHOWN)
        whole = Shape(size.height, size.width, 2 * channels + SHOWN)
        colours = _layers(blocks + 2, whole, max(1, features // 2), CORRECTIONS, channels)
        return cls(Resolution(width, height), size, channels, motion, colours)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All of them, in the order of their numbers."""
        return (*self.motion, *self.colours)

    @property
    def operations(self) -> int:
        """For one frame: half as large, a picture has a fourth of the pixels."""
        at_half, whole = (
            sum(layer.operations for layer in each) for each in (self.motion, self.colours)
        )
        return sum(at_half >> 2 * halved for halved in range(HALVINGS)) + whole

    @property
    def given(self) -> int:
        """Channels of what it is given: two pictures, and the time between them."""
        return 2 * self.channels + 1


def _layers(number: int, before: Shape, features: int, count: int, made: int) -> tuple[Layer, ...]:
    """So many layers of so many `features`, numbered from `number` on, and one that makes `made`
    channels.
    """
    layers: list[Layer] = []
    for place in range(count + 1):
        is_last = place == count
        after = Shape(before.height, before.width, made if is_last else features)
        activation = None if is_last else LEAKY
        layer = square(
            number + place, "conv", before, after, KERNEL, activation=activation, has_bias=True
        )
        layers.append(layer)
        before = after
    return tuple(layers)
