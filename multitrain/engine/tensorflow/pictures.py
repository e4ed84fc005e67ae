"""Where a training step finds its pictures: on the device, or read ahead and handed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from multitrain.engine.mixture import Mixture
from multitrain.engine.reading import PrefetchingReader
from multitrain.engine.session import Frames
from multitrain.engine.tensorflow.random import Draws
from multitrain.engine.windows import Window
from multitrain.networks.native.replicas import replica, share

ALIGNMENT = 64  # bytes, at which TensorFlow's kernels want a tensor to begin


@dataclass(frozen=True)
class Drawing:
    """Which pictures a step trains on: `batches` batches of `batch` pictures each, drawn from all.

    Of each picture, the step sees the part in `window`; None: all of it.
    """

    draws: Draws
    mixture: Mixture
    batch: int
    batches: int  # per step
    window: Window | None = None

    def indices(self, first_batch: Any, batches: int) -> Any:
        """The pictures of batches from number `first_batch` on: `(batches * batch,)` int64."""
        return self.draws.picture_indices(first_batch, self.batch, self.mixture, batches)

    def seen(self, pictures: Any, indices: Any, step: Any) -> Any:
        """In a replica: what it sees at `step` of its share of the pictures.

        The share is at `indices`, `(batches, n)`, of `pictures`, `(m, height, width, channels)`;
        returns `(batches, n, height, width, channels)`, as large as the window.
        """
        if self.window is None:
            return tf.gather(pictures, indices)
        shares = share(self.draws.windows(step, self.batches, self.batch), axis=2)
        rows, columns = self.window.pixels(shares)
        # All pictures one above the other: only the rows that are seen are moved.
        height, width, channels = pictures.shape[1:]
        first_rows = tf.cast(indices, tf.int64)[..., None] * height
        tall = tf.reshape(pictures, (-1, width, channels))
        stripes = tf.gather(tall, first_rows + tf.cast(rows, tf.int64))
        return tf.gather(stripes, columns, axis=3, batch_dims=2)


class Pictures(Protocol):
    """A data set that steps draw from."""

    @property
    def most_steps(self) -> int | None:
        """How many steps one block can have; None: any number."""

    @property
    def feed_spec(self) -> Any:
        """The `tf.TensorSpec` of what `feed` returns."""

    def feed(self, step: int, steps: int) -> Any:
        """What a block of `steps` steps from `step` on needs that is not on the device already."""

    def of_step(self, feed: Any, offset: Any, step: Any) -> Any:
        """In a replica: its share of step `step`, `(batches, n, height, width, channels)` uint8.

        The step is number `offset` of its block, which was handed `feed`.
        """

    def forget(self) -> None:
        """Drop what was read ahead, because the draws have changed."""


class PicturesInPlace:
    """The whole data set on each replica's device: eager tensors that the graph captures."""

    most_steps = None
    feed_spec = tf.TensorSpec((0,), tf.uint8)

    def __init__(self, pictures: Frames, drawing: Drawing, devices: tuple[str, ...]) -> None:
        """`pictures` are `(n, height, width, channels)` uint8."""
        self._drawing = drawing
        self._copies = []
        for device in devices:
            with tf.device(device):
                self._copies.append(tf.identity(_as_tensor(pictures)))

    def feed(self, step: int, steps: int) -> Any:  # noqa: ARG002 - nothing is handed over
        return tf.zeros((0,), tf.uint8)

    def of_step(self, feed: Any, offset: Any, step: Any) -> Any:  # noqa: ARG002
        pictures = self._copies[replica()]
        batches = self._drawing.batches
        indices = self._drawing.indices(step * batches, batches)
        mine = share(tf.reshape(indices, (batches, self._drawing.batch)), axis=1)
        return self._drawing.seen(pictures, mine, step)

    def forget(self) -> None:
        pass


class PicturesReadAhead:
    """A data set in the host's memory, or on its disk, read while the device computes."""

    def __init__(self, pictures: Frames, drawing: Drawing) -> None:
        """`pictures` are `(n, height, width, channels)` uint8."""
        self._drawing = drawing
        self._picture_shape = pictures.shape[1:]
        self._reader = PrefetchingReader(pictures, self._indices, drawing.batch)

    @property
    def most_steps(self) -> int | None:
        return max(1, self._reader.most // self._drawing.batches)

    @property
    def feed_spec(self) -> Any:
        sizes = (None, self._drawing.batches, self._drawing.batch, *self._picture_shape)
        return tf.TensorSpec(sizes, tf.uint8)

    def feed(self, step: int, steps: int) -> Any:
        batches = self._drawing.batches
        taken = self._reader.take(step * batches, steps * batches)
        with tf.device("CPU:0"):  # from where each device gets its part of each step
            return tf.constant(taken.reshape(steps, batches, *taken.shape[1:]))

    def of_step(self, feed: Any, offset: Any, step: Any) -> Any:
        with tf.device("CPU:0"):
            mine = share(feed[offset], axis=1)
            if self._drawing.window is None:
                return mine
            batches, count = mine.shape[:2]
            indices = tf.reshape(tf.range(batches * count), (batches, count))
            one_by_one = tf.reshape(mine, (batches * count, *self._picture_shape))
            return self._drawing.seen(one_by_one, indices, step)

    def forget(self) -> None:
        self._reader.forget()

    def _indices(self, first: int, batches: int) -> Any:
        with tf.device("CPU:0"):
            return self._drawing.indices(first, batches).numpy()


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
