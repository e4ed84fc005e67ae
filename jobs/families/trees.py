"""What networks that enlarge are made of, and what they see: trees of convolutions. Pure.

A network is a sequence of parts, some of which hold sequences themselves. Before its pictures have
a size, its convolutions are `Conv`s; `planned` makes them layers of that size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal, TypeAlias

from jobs.families.layer import Layer, Shape, square
from jobs.settings.choices import Activation

Merging = Literal["concat", "sums", "sum", "mean", "product", "max"]
POOL = 2  # pixels a side that become one


@dataclass(frozen=True)
class Conv:
    """A convolution with square kernels; with `times` it makes maps so many times as large.

    Either each pixel is repeated before it is convolved, or, `into_pixels`, a pixel's new channels
    become a square of pixels.
    """

    filters: int
    kernel: int = 3
    activation: Activation | None = None
    has_bias: bool = True
    times: int = 1
    into_pixels: bool = False
    dilation: int = 1

    @property
    def reach(self) -> int:
        """How many pixels around one it meets."""
        return self.kernel // 2 * self.dilation

    @property
    def kind(self) -> str:
        """As layers call it."""
        if self.times == 1:
            return "conv"
        if self.into_pixels:
            return "subpixel"
        return "fused-upconv" if (self.times, self.kernel) == (2, 3) else "upconv"


@dataclass(frozen=True)
class Residual:
    """What goes in, and `by` times what the parts make of it."""

    parts: Parts
    by: float = 1.0


@dataclass(frozen=True)
class Branches:
    """Several sequences see the same; an empty one hands on what it sees.

    `sums`: the first, the sum of the first two, and so on, concatenated.
    """

    each: tuple[Parts, ...]
    merging: Merging


@dataclass(frozen=True)
class Activated:
    """An activation by itself."""

    activation: Activation


@dataclass(frozen=True)
class Pool:
    """Of each square of pixels the largest value."""


@dataclass(frozen=True)
class Enlarged:
    """Maps `times` as large, by repeating pixels or by straight lines between them."""

    times: int
    is_smooth: bool = False


Part: TypeAlias = Conv | Layer | Residual | Branches | Activated | Pool | Enlarged
Parts: TypeAlias = tuple[Part, ...]


def planned(parts: Parts, before: Shape) -> Parts:
    """The same for maps of this shape: with a layer in place of each `Conv`, numbered from 1."""
    return _planned(parts, before, count(1))[0]


def _planned(parts: Parts, before: Shape, numbers: Iterator[int]) -> tuple[Parts, Shape]:
    done: list[Part] = []
    for part in parts:
        made, before = _planned_part(part, before, numbers)
        done.append(made)
    return tuple(done), before


def _planned_part(part: Part, before: Shape, numbers: Iterator[int]) -> tuple[Part, Shape]:
    match part:
        case Conv():
            times = part.times
            after = Shape(before.height * times, before.width * times, part.filters)
            layer = square(
                next(numbers),
                part.kind,
                before,
                after,
                part.kernel,
                stride=times,
                dilation=part.dilation,
                activation=part.activation,
                has_bias=part.has_bias,
            )
            return layer, after
        case Residual():
            inner, after = _planned(part.parts, before, numbers)
            assert after == before, "what is added is as large"
            return replace(part, parts=inner), after
        case Branches():
            ways = [_planned(each, before, numbers) for each in part.each]
            channels = [after.channels for _, after in ways]
            is_one = part.merging in ("concat", "sums")
            after = replace(ways[0][1], channels=sum(channels) if is_one else channels[0])
            return replace(part, each=tuple(parts for parts, _ in ways)), after
        case Pool():
            halved = Shape(before.height // POOL, before.width // POOL, before.channels)
            return part, halved
        case Enlarged():
            larger = Shape(before.height * part.times, before.width * part.times, before.channels)
            return part, larger
    return part, before


def layers_of(parts: Parts) -> tuple[Layer, ...]:
    """All layers of planned parts, in the order of their numbers."""
    return tuple(each for each in _convolutions(parts) if isinstance(each, Layer))


def halvings_of(parts: Parts) -> int:
    """How often maps are halved at most, one within the other."""
    depth = deepest = 0
    for part in parts:
        match part:
            case Pool():
                depth += 1
            case Enlarged() if not part.is_smooth:
                depth -= 1
            case Residual():
                deepest = max(deepest, depth + halvings_of(part.parts))
            case Branches():
                deepest = max(deepest, depth, *(depth + halvings_of(each) for each in part.each))
        deepest = max(deepest, depth)
    return deepest


def _convolutions(parts: Parts) -> Iterator[Conv | Layer]:
    for part in parts:
        match part:
            case Conv() | Layer():
                yield part
            case Residual():
                yield from _convolutions(part.parts)
            case Branches():
                for each in part.each:
                    yield from _convolutions(each)


Seen: TypeAlias = tuple[int, int]  # the first and the last pixel


def radius(parts: Parts, scale: int) -> int:
    """How many pixels of its input, in each direction, a pixel of the output depends on at most.

    Exactly: the pixels that one depends on are followed back through all parts, for each place that
    it can have within the squares that come of one pixel, or become one.
    """
    period = POOL ** halvings_of(parts) * scale
    reach = 0
    for place in range(period):
        first, last = seen(parts, (place, place))
        here = place // scale
        reach = max(reach, here - first, last - here)
    return reach


def seen(parts: Sequence[Any], pixels: Seen) -> Seen:
    """The pixels, in a row of what goes in, that these pixels of what comes out depend on."""
    for part in reversed(parts):
        pixels = _seen_by(part, pixels)
    return pixels


def _seen_by(part: Part, pixels: Seen) -> Seen:
    first, last = pixels
    match part:
        case Conv() if part.into_pixels:
            first, last = first // part.times, last // part.times
            return first - part.reach, last + part.reach
        case Conv():
            first, last = first - part.reach, last + part.reach
            return first // part.times, last // part.times
        case Residual():
            return _all_of(pixels, seen(part.parts, pixels))
        case Branches():
            return _all_of(*(seen(each, pixels) for each in part.each))
        case Pool():
            return POOL * first, POOL * last + POOL - 1
        case Enlarged() if part.is_smooth and part.times > 1:  # between two pixels' centres
            return (first - part.times // 2) // part.times, (last + part.times // 2) // part.times
        case Enlarged():
            return first // part.times, last // part.times
    return pixels


def _all_of(*spans: Seen) -> Seen:
    return min(first for first, _ in spans), max(last for _, last in spans)
