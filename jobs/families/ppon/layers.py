"""The plan of a job's three networks, each of which adds to the picture of the one before. Pure.

Hui et al. 2019, https://arxiv.org/abs/1907.10399: the first makes maps of the low picture, the
others make maps of the maps before them; of its maps, each makes a picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.families.enlarging import FACTORS, low_of
from jobs.families.layer import Layer, Shape
from jobs.families.trees import (
    Activated,
    Branches,
    Conv,
    Part,
    Parts,
    Residual,
    layers_of,
    planned,
    radius,
)
from jobs.settings.choices import Activation
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.settings.moments import beginnings
from jobs.settings.spec import JobSpec

STAGES = CONTENT, STRUCTURE, PERCEPTION = "content", "structure", "perception"
LOSSES = {CONTENT: "p1_losses", STRUCTURE: "p2_losses", PERCEPTION: "p3_losses"}  # columns

FEATURES, BLOCKS = 64, 24  # as published
ADDED = 1 / 12  # for each block of the first stage, of each other one
DILATIONS = range(1, 9)
LEAKY = Activation("lrelu")
RESIDUAL = 0.2  # of what blocks add
GROWTH = 0.5  # of the features: channels of each dilated convolution
GAIN = 0.1  # of the first weights, beside those that keep the size of values through ReLUs


@dataclass(frozen=True)
class Stage:
    """A network for maps of this size: what makes its own maps, and of these a high picture."""

    size: Resolution
    maps: Parts
    picture: Parts

    @property
    def layers(self) -> tuple[Layer, ...]:
        return layers_of((*self.maps, *self.picture))

    @property
    def given(self) -> int:
        """Channels of what it is given."""
        return self.layers[0].input.channels


def stages(spec: JobSpec, width: int, height: int) -> Mapping[str, Stage]:
    """All three by name, in their order, to pictures of `width` x `height`, or a little fewer."""
    low = low_of(spec, width, height)
    seen = dict.fromkeys(STAGES, features_of(spec))
    seen[CONTENT] = CHANNELS[spec.colour_model].network
    found = {}
    for name in STAGES:
        maps = maps_of(spec, name)
        whole = planned((*maps, *picture_of(spec)), Shape(low.height, low.width, seen[name]))
        found[name] = Stage(low, whole[: len(maps)], whole[len(maps) :])
    return found


def features_of(spec: JobSpec) -> int:
    """Channels of all maps."""
    return spec.features or FEATURES


def maps_of(spec: JobSpec, name: str) -> Parts:
    """What makes a stage's maps."""
    f, blocks = features_of(spec), spec.blocks or BLOCKS
    if name != CONTENT:
        return (_blocks(f),) * max(1, round(ADDED * blocks))
    return (Conv(f), Residual((*[_blocks(f)] * blocks, Conv(f))))


def picture_of(spec: JobSpec) -> Parts:
    """What makes a picture of any stage's maps."""
    f = features_of(spec)
    return (
        *(Conv(f, times=times, activation=LEAKY) for times in FACTORS[spec.scale]),
        Conv(f, activation=LEAKY),
        Conv(CHANNELS[spec.colour_model].network),
    )


def _blocks(features: int) -> Part:
    """Three residual blocks, in one more; each sees places ever farther around one at once."""
    growth = max(1, round(GROWTH * features))
    ways = tuple((Conv(growth, dilation=dilation),) for dilation in DILATIONS)
    block = Residual(
        (
            Conv(features, activation=LEAKY),
            Branches(ways, "sums"),
            Activated(LEAKY),
            Conv(features, 1),
        ),
        RESIDUAL,
    )
    return Residual((block, block, block), RESIDUAL)


def up_to(last: str) -> tuple[str, ...]:
    """The stages that the picture of one is made by."""
    return STAGES[: STAGES.index(last) + 1]


def radius_of(spec: JobSpec, last: str = PERCEPTION) -> int:
    """How many pixels around one of its input the picture of the stage `last` depends on."""
    maps = (part for name in up_to(last) for part in maps_of(spec, name))
    return radius((*maps, *picture_of(spec)), spec.scale)


def phases(spec: JobSpec, steps: int) -> Mapping[str, range]:
    """The steps in which each stage learns, of a training of so many.

    Those that have none are left out. The last one goes on to the end, wherever that is.
    """
    begins = [0, *beginnings(spec.ppon_stages, steps)]
    ends = [*begins[1:], max(steps, begins[-1] + 1)]
    spans = (range(*each) for each in zip(begins, ends, strict=True))
    return {name: span for name, span in zip(STAGES, spans, strict=True) if span}
