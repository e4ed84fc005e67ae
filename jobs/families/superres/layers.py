"""The plan of a job's networks: the one that enlarges, and the discriminator, where there is one.

Pure arithmetic; networks are built from these very plans.
"""

from __future__ import annotations

from dataclasses import dataclass

from jobs.families.enlarging import counting, low_of
from jobs.families.layer import Layer, Shape
from jobs.families.padding import padded
from jobs.families.superres.nets import NETS, Net, Wanted
from jobs.families.superres.recurrent import Maps
from jobs.families.trees import Parts, halvings_of, layers_of, planned, radius
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec


@dataclass(frozen=True)
class Enlarger:
    """A network for pictures of `low` pixels, computed on pictures of `size`; `parts` have layers.

    What its parts make is added to the input, scaled up by `skip`. Of one that remembers, all that
    goes in and comes out is as large as the low pictures, and its `scale` is 1.
    """

    low: Resolution
    size: Resolution
    scale: int
    skip: str
    gain: float
    parts: Parts

    @property
    def layers(self) -> tuple[Layer, ...]:
        return layers_of(self.parts)

    @property
    def given(self) -> int:
        """Channels of what it is given."""
        return self.layers[0].input.channels


def generator(spec: JobSpec, width: int, height: int) -> Enlarger:
    """To pictures of `width` x `height` pixels, or a little fewer."""
    net, low = net_of(spec), low_of(spec, width, height)
    parts = parts_of(spec)
    size = padded(*low, halvings_of(parts))
    if net.remembers:
        whole = planned(parts, Shape(size.height, size.width, Maps.of(spec).given))
        return Enlarger(low, size, 1, "none", net.gain, whole)
    colours = CHANNELS[spec.colour_model].network
    whole = planned(parts, Shape(size.height, size.width, colours))
    return Enlarger(low, size, spec.scale, skip_of(spec), net.gain, whole)


def net_of(spec: JobSpec) -> Net:
    """The kind of network that a job trains."""
    return NETS[spec.net]


def skip_of(spec: JobSpec) -> str:
    """How the input is scaled up to which what the network makes is added."""
    return net_of(spec).skip if spec.skip == "auto" else spec.skip


def parts_of(spec: JobSpec) -> Parts:
    """The job's network, for pictures of any size."""
    net, colours = net_of(spec), CHANNELS[spec.colour_model].network
    return net.parts(
        Wanted(
            spec.features or net.features,
            spec.blocks or net.blocks,
            spec.scale,
            colours,
            spec.genome or "",
        )
    )


def radius_of(spec: JobSpec) -> int:
    """How many pixels around one of its input what is made of that depends on."""
    reach = {"none": 0, "nearest": 0, "bilinear": 1}
    scale = 1 if net_of(spec).remembers else spec.scale
    return max(radius(parts_of(spec), scale), reach[skip_of(spec)])


def is_judged(spec: JobSpec) -> bool:
    """Whether there is a discriminator."""
    return "gan" in counting(spec.losses)
