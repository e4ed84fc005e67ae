"""The networks of super-resolution by name, each as a tree of parts. Pure.

Published ones have as many parameters as their authors' networks. Those that were made for pictures
that are scaled up already are given such: their first part enlarges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from jobs.families.enlarging import FACTORS
from jobs.families.layer import PRELU
from jobs.families.superres.genomes import Genome
from jobs.families.trees import (
    Activated,
    Branches,
    Conv,
    Enlarged,
    Parts,
    Pool,
    Residual,
)
from jobs.settings.choices import Activation

RELU, LEAKY, FAINT = Activation("relu"), Activation("lrelu"), Activation("lrelu", (("slope", 0.1),))
ELU, SIGMOID = Activation("elu"), Activation("sigmoid")

RESIDUAL = 0.2  # of what residual dense blocks add
_GROWTH = 0.5  # of their features: channels that each convolution of a dense block adds
_OUTER = 0.6  # of PAN's features: channels of what enlarges


class Wanted(NamedTuple):
    """How large a network is to be; `colours` are the channels of its pictures."""

    features: int
    blocks: int
    scale: int
    colours: int
    genome: str = ""


class Net(NamedTuple):
    """A network, with what its authors gave it.

    - features, blocks: how many; 0: it has none to count.
    - skip: how the input is scaled up to which its output is added; `none`: it is not.
    - gain: of its first weights, beside those that keep the size of values through ReLUs.
    - remembers: from frame to frame of a video.
    """

    parts: Callable[[Wanted], Parts]
    features: int
    blocks: int
    skip: str
    gain: float
    remembers: bool = False


def _srresnet(wanted: Wanted) -> Parts:
    """Ledig et al. 2017, https://arxiv.org/abs/1609.04802, without batch normalization."""
    f = wanted.features
    block = Residual((Conv(f, activation=RELU), Conv(f)))
    larger = (
        Conv(f, times=times, into_pixels=True, activation=FAINT) for times in FACTORS[wanted.scale]
    )
    return (
        Conv(f, activation=FAINT),
        *[block] * wanted.blocks,
        *larger,
        Conv(f, activation=FAINT),
        Conv(wanted.colours),
    )


def _rrdb(wanted: Wanted) -> Parts:
    """Wang et al. 2018, https://arxiv.org/abs/1809.00219: residual blocks in residual blocks."""
    f = wanted.features
    growth = max(1, round(_GROWTH * f))
    grown = Branches(((), (Conv(growth, activation=LEAKY),)), "concat")
    dense = Residual((grown, grown, grown, grown, Conv(f)), RESIDUAL)
    block = Residual((dense, dense, dense), RESIDUAL)
    return (
        Conv(f),
        Residual((*[block] * wanted.blocks, Conv(f))),
        *(Conv(f, times=times, activation=LEAKY) for times in FACTORS[wanted.scale]),
        Conv(f, activation=LEAKY),
        Conv(wanted.colours),
    )


def _pan(wanted: Wanted) -> Parts:
    """Zhao et al. 2020, https://arxiv.org/abs/2010.01073: pixels gate themselves."""
    f, half = wanted.features, max(1, wanted.features // 2)
    outer = max(1, round(_OUTER * f))

    def plain(filters: int, activation: Activation | None = None) -> Conv:
        return Conv(filters, activation=activation, has_bias=False)

    narrowed = Conv(half, 1, LEAKY, has_bias=False)
    gated = Branches(((plain(half),), (Conv(half, 1, SIGMOID),)), "product")
    ways = ((narrowed, plain(half, LEAKY)), (narrowed, gated, plain(half, LEAKY)))
    block = Residual((Branches(ways, "concat"), Conv(f, 1, has_bias=False)))
    larger: Parts = ()
    for times in FACTORS[wanted.scale]:
        larger += (
            Conv(outer, times=times),
            Branches(((), (Conv(outer, 1, SIGMOID),)), "product"),
            Activated(LEAKY),
            Conv(outer, activation=LEAKY),
        )
    return (
        Conv(f),
        Residual((*[block] * wanted.blocks, Conv(f))),
        *larger,
        Conv(wanted.colours),
    )


def _compact(wanted: Wanted) -> Parts:
    """Wang et al. 2021, https://arxiv.org/abs/2107.10833: what Real-ESRGAN has for videos."""
    body = Conv(wanted.features, activation=Activation(PRELU))
    last = Conv(wanted.colours, times=wanted.scale, into_pixels=wanted.scale > 1)
    return (body, *[body] * wanted.blocks, last)


def _basicsr(wanted: Wanted) -> Parts:
    """Dong et al. 2014, https://arxiv.org/abs/1501.00092."""
    f = wanted.features
    return (
        *_scaled_up(wanted),
        Conv(f, 9, RELU),
        Conv(max(1, f // 2), 1, RELU),
        Conv(wanted.colours, 5),
    )


def _expansionsr(wanted: Wanted) -> Parts:
    """The same with the mean of three kernels in its middle."""
    f = wanted.features
    middle = Branches(tuple((Conv(max(1, f // 2), kernel, RELU),) for kernel in (1, 3, 5)), "mean")
    return (*_scaled_up(wanted), Conv(f, 9, RELU), middle, Conv(wanted.colours, 5))


def _denoise(wanted: Wanted) -> Parts:
    """Mao et al. 2016, https://arxiv.org/abs/1603.09056: halved twice, and added on the way up."""
    f = wanted.features

    def twice(filters: int) -> Parts:
        return (Conv(filters, activation=RELU),) * 2

    inner = Residual((Pool(), Conv(4 * f, activation=RELU), Enlarged(2), *twice(2 * f)))
    outer = Residual((Pool(), *twice(2 * f), inner, Enlarged(2), *twice(f)))
    return (*_scaled_up(wanted), *twice(f), outer, Conv(wanted.colours, 5))


def _vdsr(activation: Activation) -> Callable[[Wanted], Parts]:
    """Kim et al. 2016, https://arxiv.org/abs/1511.04587."""

    def parts(wanted: Wanted) -> Parts:
        body = [Conv(wanted.features, activation=activation)] * wanted.blocks
        return (*_scaled_up(wanted), *body, Conv(wanted.colours))

    return parts


def _recurrent(wanted: Wanted) -> Parts:
    """After Isobe et al. 2020, https://arxiv.org/abs/2008.05765: what goes in and comes out is told
    in `jobs.families.superres.recurrent`.
    """
    f = wanted.features
    block = Residual((Conv(f, activation=RELU), Conv(f)))
    made = wanted.colours * wanted.scale**2 + f
    return (Conv(f, activation=FAINT), *[block] * wanted.blocks, Conv(made))


def _genome(wanted: Wanted) -> Parts:
    """What a sheet writes."""
    return (*_scaled_up(wanted), *Genome.parse(wanted.genome).parts(wanted.colours))


def _scaled_up(wanted: Wanted) -> Parts:
    return (Enlarged(wanted.scale, is_smooth=True),) if wanted.scale > 1 else ()


# With which values keep their size, of He et al. 2015 for ReLUs: a tenth, as ESRGAN has it; and
# what uniform weights of PyTorch's convolutions come to.
_TENTH, _USUAL = 0.1, 6**-0.5

NETS: Mapping[str, Net] = {
    "srresnet": Net(_srresnet, 64, 16, "bilinear", _TENTH),
    "rrdb": Net(_rrdb, 64, 23, "none", _TENTH),
    "pan": Net(_pan, 40, 16, "bilinear", _USUAL),
    "compact": Net(_compact, 64, 16, "nearest", _USUAL),
    "basicsr": Net(_basicsr, 64, 0, "bilinear", _USUAL),
    "expansionsr": Net(_expansionsr, 64, 0, "bilinear", _USUAL),
    "denoise": Net(_denoise, 64, 0, "bilinear", _USUAL),
    "vdsr": Net(_vdsr(RELU), 64, 20, "bilinear", 1.0),
    "vdsr-elu": Net(_vdsr(ELU), 64, 20, "bilinear", _USUAL),
    "recurrent": Net(_recurrent, 48, 4, "bilinear", _TENTH, True),
    "genome": Net(_genome, 0, 0, "bilinear", _USUAL),
}
