"""Where a training step finds its pictures: on the device, or read ahead and handed over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from multitrain.engine.feeds import OpenFeed
from multitrain.engine.going_on import Handed, Ways
from multitrain.engine.groups import Group, placed
from multitrain.engine.model import Named
from multitrain.engine.reading import PrefetchingReader
from multitrain.engine.session import Frames
from multitrain.engine.tensorflow.devices import device_bytes
from multitrain.engine.tensorflow.random import Draws
from multitrain.networks.native.replicas import replica, share

ALIGNMENT = 64  # bytes, at which TensorFlow's kernels want a tensor to begin

Shares = Callable[[], Any]  # what places the windows of a step, `(3, batches, batch)`


@dataclass(frozen=True)
class Drawing:
    """Which items of a group a step trains on: `batches` batches of `batch` items each."""

    draws: Draws
    group: Group
    batch: int
    batches: int  # per step

    def items(self, first_batch: Any, batches: int) -> Any:
        """The items of batches from number `first_batch` on: `(batches * batch,)` int64."""
        is_stream = self.group.feeds[0].feed.latest > 0
        if self.group.runs is None and not is_stream:
            name, mixture = self.group.name, self.group.mixture
            return self.draws.items(name, first_batch, self.batch, mixture, batches)
        numbers = tf.cast(first_batch, tf.int64) + tf.range(batches, dtype=tf.int64)
        if is_stream:
            items = self.group.newest(numbers, self.batch, self.batches, self.draws.detours)
            return tf.reshape(items, (-1,))
        in_order, _ = self.group.in_order(numbers, self.batch, self.draws.detours)
        return tf.reshape(in_order, (-1,))

    def shares(self, step: Any) -> Any:
        """What places the window on the step's items, by chance: `(3, batches, batch)`."""
        return self.draws.windows(self.group.name, step, self.batches, self.batch)


@dataclass(frozen=True)
class Seeing:
    """What steps see of one feed of a group."""

    drawing: Drawing
    feed: OpenFeed

    @property
    def count(self) -> int:
        """Pictures in a batch."""
        return self.drawing.batch * self.feed.frames

    def seen(self, pictures: Any, indices: Any, shares: Shares) -> Any:
        """In a replica: what it sees of its share of the pictures, where `shares` place the window.

        The share is at `indices`, `(batches, n * frames)`, of `pictures`, `(m, height, width,
        channels)`; returns `(batches, n * frames, height, width, channels)`, as large as the
        window.
        """
        window = self.drawing.group.window
        if window is None:
            return tf.gather(pictures, indices)
        placed = share(shares(), axis=2)
        if self.feed.frames > 1:  # a clip is seen through one window
            placed = tf.repeat(placed, self.feed.frames, axis=2)
        rows, columns = window.pixels(placed, self.drawing.group.scale(self.feed))
        # All pictures one above the other: only the rows that are seen are moved.
        height, width, channels = pictures.shape[1:]
        first_rows = tf.cast(indices, tf.int64)[..., None] * height
        tall = tf.reshape(pictures, (-1, width, channels))
        stripes = tf.gather(tall, first_rows + tf.cast(rows, tf.int64))
        return tf.gather(stripes, columns, axis=3, batch_dims=2)

    def as_items(self, pictures: Any) -> Any:
        """`(batches, n * frames, ...)` as `(batches, n, frames, ...)`, where items are clips."""
        if self.feed.frames == 1:
            return pictures
        batches, count, *picture = pictures.shape
        items = count // self.feed.frames
        return tf.reshape(pictures, (batches, items, self.feed.frames, *picture))


class Pictures(Protocol):
    """A feed that steps draw from."""

    @property
    def most_steps(self) -> int | None:
        """How many steps one block can have; None: any number."""

    @property
    def spec(self) -> Any:
        """The `tf.TensorSpec` of what `handed` returns."""

    def handed(self, step: int, steps: int) -> Any:
        """What a block of `steps` steps from `step` on needs that is not on the device already."""

    def of_step(self, handed: Any, offset: Any, step: Any, shares: Shares) -> Any:
        """In a replica: its share of step `step`, `(batches, n, height, width, channels)` uint8.

        The step is number `offset` of its block, which was `handed` this; `shares` place windows.
        """

    def forget(self) -> None:
        """Drop what was read ahead, because the draws have changed."""


class PicturesInPlace:
    """The whole feed on each replica's device: eager tensors that the graph captures.

    So are the pictures of each item: as a constant, they would be in every graph anew.
    """

    most_steps = None
    spec = tf.TensorSpec((0,), tf.uint8)

    def __init__(self, seeing: Seeing, devices: Sequence[str]) -> None:
        self._seeing, numbers = seeing, seeing.feed.numbers
        self._copies, self._numbers = [], []
        for device in devices:
            with tf.device(device):
                self._copies.append(tf.identity(_as_tensor(seeing.feed.pictures)))
                if numbers is not None:
                    self._numbers.append(tf.constant(numbers, tf.int64))

    def handed(self, step: int, steps: int) -> Any:  # noqa: ARG002 - nothing is handed over
        return tf.zeros((0,), tf.uint8)

    def of_step(self, handed: Any, offset: Any, step: Any, shares: Shares) -> Any:  # noqa: ARG002
        seeing, drawing = self._seeing, self._seeing.drawing
        indices = drawing.items(step * drawing.batches, drawing.batches)
        if self._numbers:
            indices = tf.gather(self._numbers[replica()], indices)
        mine = share(tf.reshape(indices, (drawing.batches, seeing.count)), axis=1)
        return seeing.as_items(seeing.seen(self._copies[replica()], mine, shares))

    def forget(self) -> None:
        pass


class PicturesReadAhead:
    """A feed in the host's memory, or on its disk, read while the device computes."""

    def __init__(self, seeing: Seeing) -> None:
        self._seeing, self._batches = seeing, seeing.drawing.batches
        self._picture_shape = seeing.feed.pictures.shape[1:]
        feed, ahead = seeing.feed, not seeing.feed.feed.is_live
        self._reader = PrefetchingReader(feed.pictures, self._indices, seeing.count, ahead=ahead)

    @property
    def most_steps(self) -> int | None:
        return max(1, self._reader.most // self._batches)

    @property
    def spec(self) -> Any:
        sizes = (None, self._batches, self._seeing.count, *self._picture_shape)
        return tf.TensorSpec(sizes, tf.uint8)

    def handed(self, step: int, steps: int) -> Any:
        taken = self._reader.take(step * self._batches, steps * self._batches)
        with tf.device("CPU:0"):  # from where each device gets its part of each step
            return tf.constant(taken.reshape(steps, self._batches, *taken.shape[1:]))

    def of_step(self, handed: Any, offset: Any, step: Any, shares: Shares) -> Any:  # noqa: ARG002
        with tf.device("CPU:0"):
            mine = share(handed[offset], axis=1)
            if self._seeing.drawing.group.window is None:
                return self._seeing.as_items(mine)
            batches, count = mine.shape[:2]
            indices = tf.reshape(tf.range(batches * count), (batches, count))
            one_by_one = tf.reshape(mine, (batches * count, *self._picture_shape))
            return self._seeing.as_items(self._seeing.seen(one_by_one, indices, shares))

    def forget(self) -> None:
        self._reader.forget()

    def _indices(self, first: int, batches: int) -> NDArray[np.integer]:
        with tf.device("CPU:0"):
            items = self._seeing.drawing.items(first, batches).numpy()
        return self._seeing.feed.numbers_of(items).ravel()


class Feeding:
    """All feeds that a model's steps draw from, each where it has its place."""

    def __init__(
        self,
        groups: Sequence[Group],
        drawn: Mapping[str, int],
        draws: Draws,
        batch: int,
        devices: Sequence[str],
        on_device: bool | None,
    ) -> None:
        """`drawn` are the batches per step of each feed; `on_device`: None: where they fit."""
        in_place = placed(groups, device_bytes(), on_device)
        self._ways = Ways(groups, drawn, draws.seed, batch)
        self._drawings: dict[str, Drawing] = {}  # by feed
        self._pictures: dict[str, Pictures] = {}
        for group in groups:
            drawing = Drawing(draws, group, batch, group.batches(drawn))
            for feed in group.feeds:
                name, seeing = feed.feed.name, Seeing(drawing, feed)
                self._drawings[name] = drawing
                self._pictures[name] = (
                    PicturesInPlace(seeing, devices)
                    if name in in_place
                    else PicturesReadAhead(seeing)
                )

    @property
    def most_steps(self) -> int | None:
        """How many steps one block can have; None: any number."""
        most = [each.most_steps for each in self._pictures.values()]
        return min((each for each in most if each is not None), default=None)

    @property
    def spec(self) -> Handed:
        """The `tf.TensorSpec`s of what `handed` returns."""
        told: Handed = tf.nest.map_structure(
            lambda each: tf.TensorSpec((None, *each.shape[1:]), each.dtype),
            self._ways.handed(0, 0, {}),
        )
        return told._replace(pictures={name: each.spec for name, each in self._pictures.items()})

    def handed(self, step: int, steps: int) -> Handed:
        """What a block of `steps` steps from `step` on needs that is not on the device already."""
        pictures = {name: each.handed(step, steps) for name, each in self._pictures.items()}
        handed: Handed = tf.nest.map_structure(
            tf.convert_to_tensor, self._ways.handed(step, steps, pictures)
        )
        return handed

    def of_step(self, handed: Handed, offset: Any, step: Any) -> Named:
        """In a replica: its share of what a step is given, by feed.

        The step is number `offset` of its block, which was `handed` this.
        """

        def shares(drawing: Drawing) -> Any:
            ahead = handed.shares.get(drawing.group.name)
            return drawing.shares(step) if ahead is None else ahead[offset]

        pictures = {
            name: each.of_step(
                handed.pictures[name], offset, step, partial(shares, self._drawings[name])
            )
            for name, each in self._pictures.items()
        }
        begins = {name: share(each[offset], axis=1) for name, each in handed.begins.items()}
        return pictures | begins

    def go_on_from(self, step: int, detours: int) -> None:
        """The draws are others now: those after so many detours, the last one before `step`."""
        self._ways.go_on_from(step, detours)
        for each in self._pictures.values():
            each.forget()


def _as_tensor(pictures: Frames) -> Any:
    """A tensor on the CPU, without a copy where possible: a memory map stays on the disk."""
    aliasable = (
        pictures.flags.c_contiguous
        and pictures.flags.writeable  # TensorFlow shares no other memory; nobody writes, though
        and pictures.ctypes.data % ALIGNMENT == 0
    )
    with tf.device("CPU:0"):
        if aliasable:
            return tf.experimental.dlpack.from_dlpack(pictures.__dlpack__())
        return tf.constant(np.ascontiguousarray(pictures))
