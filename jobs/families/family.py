"""What is known of a kind of network before anything is built. Pure, without a framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.families.feed import Feed
from jobs.families.layer import Layer
from jobs.settings.choices import Optimizer
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec

Layers = Mapping[str, tuple[Layer, ...]]  # by network


class Sides(NamedTuple):
    """How long the longer side of pictures may be, in pixels."""

    least: int
    most: int


class Application(NamedTuple):
    """How networks that make pictures into pictures are used, on pictures of any size.

    - networks: what makes them; the second one, where there is one, makes inputs of targets, but
      where they `are_stages` of one way, of which the first has come farthest.
    - fixed: the settings of a job with pictures of `width` x `height`, and what its network takes
      from that size written down: the same network can then be planned for other sizes.
    - least_side: how many pixels the shorter side of a picture needs, by such settings.
    - halvings: how often pictures are halved, by such settings: those whose sides cannot be are
      padded before.
    - enlarges: how many times as large what is made of pictures is; layers are planned by its size.
    - radius: how many pixels around one what is made of that depends on, so that large pictures can
      be made in tiles; None: on all of them.
    - restores: what is made is the picture itself, larger or cleaner: it can be measured beside it.
    - remembers: from frame to frame of a video, of which it also sees the next one.
    - rates: how many channels lie between two networks, of which the first ones alone may be used;
      0: there is nothing between.
    - is_between: what is made lies between two frames of a video.
    """

    networks: tuple[str, ...]
    fixed: Callable[[JobSpec, int, int], JobSpec]
    least_side: Callable[[JobSpec], int]
    halvings: Callable[[JobSpec], int]
    enlarges: Callable[[JobSpec], int] = lambda _: 1
    radius: Callable[[JobSpec], int] | None = None
    restores: bool = False
    remembers: Callable[[JobSpec], bool] = lambda _: False
    rates: Callable[[JobSpec], int] = lambda _: 0
    is_between: bool = False
    are_stages: bool = False


class Trained(NamedTuple):
    """What training keeps of a network beside its weights."""

    optimizer: Optimizer
    is_averaged: bool = False
    frozen: int = 0  # so many first layers do not learn


def _no_layers(spec: JobSpec, width: int, height: int) -> Layers:  # noqa: ARG001
    return {}


def _nothing_wrong(spec: JobSpec, width: int, height: int) -> dict[str, str]:  # noqa: ARG001
    return {}


def _nothing_trained(spec: JobSpec) -> dict[str, Trained]:  # noqa: ARG001
    return {}


def _nothing_to_say(spec: JobSpec) -> Iterator[str]:  # noqa: ARG001
    return iter(())


def _the_data_set(spec: JobSpec) -> tuple[Feed, ...]:
    return (Feed.of_dataset(spec),)


def _the_picture(spec: JobSpec, width: int, height: int) -> Resolution:  # noqa: ARG001
    return Resolution(width, height)


def _sends_nothing(spec: JobSpec) -> bool:  # noqa: ARG001
    return False


def _one_batch(spec: JobSpec) -> int:  # noqa: ARG001
    return 1


def _no_operations(spec: JobSpec, width: int, height: int) -> int:  # noqa: ARG001
    return 0


@dataclass(frozen=True)
class Family:
    """A kind of network to train; one that trains nothing is all defaults.

    Pictures are `width` x `height` pixels.

    - feeds: the pictures that it is trained on; those of the first one are `width` x `height`.
    - cell: the size of what a frame shows of one sample.
    - layers: those of each network.
    - impossible: one reason for each column that asks for what cannot be built or cannot learn.
    - notes: sentences on what is possible, but seldom meant.
    - batches: batches of pictures that a step draws.
    - operations: floating-point operations of a step.
    - columns_of_layers: the settings that decide what layers there are, and how large.
    - columns_of_steps: with them, those that decide what a step computes.
    - trained: what training keeps of each network.
    - streams: whether what it makes is sent, frame by frame, to a receiver, which frames show.
    - sampler: the network that draws samples of latents, which walks need; None: there is none.
    - application: what makes pictures into pictures; None: nothing here does.
    - averaged: networks, by the name that an average of their weights has in checkpoints.
    - held: of networks, for how many calls their values are kept at once, for gradients; empty:
      how much memory a step takes is not reckoned.
    - without: columns that mean nothing to it.
    - sides: of the pictures that it takes; None: any.
    """

    feeds: Callable[[JobSpec], tuple[Feed, ...]] = _the_data_set
    cell: Callable[[JobSpec, int, int], Resolution] = _the_picture
    layers: Callable[[JobSpec, int, int], Layers] = _no_layers
    impossible: Callable[[JobSpec, int, int], dict[str, str]] = _nothing_wrong
    notes: Callable[[JobSpec], Iterator[str]] = _nothing_to_say
    batches: Callable[[JobSpec], int] = _one_batch
    operations: Callable[[JobSpec, int, int], int] = _no_operations
    trained: Callable[[JobSpec], Mapping[str, Trained]] = _nothing_trained
    columns_of_layers: frozenset[str] = frozenset()
    columns_of_steps: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()
    streams: Callable[[JobSpec], bool] = _sends_nothing
    sampler: str | None = None
    application: Application | None = None
    averaged: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    sides: Sides | None = None

    @property
    def trains(self) -> bool:
        """Whether there are networks, and so a framework and checkpoints of weights."""
        return bool(self.networks)
