"""Where a training step finds its pictures: on the device, or read ahead and handed over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import jax.numpy as jnp

from multitrain.engine.jax.random import Indices, picture_indices, windows
from multitrain.engine.mixture import Mixture
from multitrain.engine.reading import PrefetchingReader
from multitrain.engine.session import Frames
from multitrain.engine.windows import Window


@dataclass
class Drawing:
    """Which pictures a step trains on: `batches` batches of `batch` pictures, drawn from all."""

    seed: int
    mixture: Mixture
    batch: int
    batches: int  # per step
    window: Window | None = None  # what a step sees of each picture; None: all of it
    detours: int = 0

    def indices(self, first: int, batches: int) -> Indices:
        """The pictures of `batches` batches from number `first` on: `(batches * batch,)`."""
        start, count = first * self.batch, batches * self.batch
        return picture_indices(self.seed, self.detours, start, count, self.mixture)

    def seen(self, pictures: Any, indices: Any, detours: Any, step: Any) -> Any:
        """Traced: what `step` sees of its pictures, `(batches, batch, height, width, channels)`.

        They are at `indices`, `(batches, batch)`, of `pictures`, `(n, height, width, channels)`.
        """
        if self.window is None:
            return jnp.take(pictures, indices, axis=0, mode="clip")
        shares = windows(self.seed, detours, step, self.batches, self.batch)
        rows, columns = self.window.pixels(shares)
        which = indices[..., None, None], rows[..., None], columns[..., None, :]
        return pictures.at[which].get(mode="clip")


class Pictures(Protocol):
    """A data set that steps draw from."""

    @property
    def resident(self) -> Any:
        """What is on the device all the time; an argument of every step."""

    def feeds(self, step: int, steps: int) -> Iterable[Any]:
        """For each of `steps` steps from `step` on, what it needs besides what is `resident`."""

    def of_step(self, resident: Any, feed: Any, detours: Any, step: Any) -> Any:
        """Traced: the step's pictures, `(batches, batch, height, width, channels)` uint8."""

    def forget(self) -> None:
        """Drop what was read ahead, because the draws have changed."""


class PicturesInPlace:
    """The whole data set on the device; a step is handed indices."""

    def __init__(self, pictures: Any, drawing: Drawing) -> None:
        """`pictures` are a JAX array `(n, height, width, channels)` uint8."""
        self.resident = pictures
        self._drawing = drawing

    def feeds(self, step: int, steps: int) -> Iterable[Any]:
        batches = self._drawing.batches
        indices = self._drawing.indices(step * batches, steps * batches)
        return indices.reshape(steps, batches, self._drawing.batch)

    def of_step(self, resident: Any, feed: Any, detours: Any, step: Any) -> Any:
        return self._drawing.seen(resident, feed, detours, step)

    def forget(self) -> None:
        pass


class PicturesReadAhead:
    """A data set in the host's memory, or on its disk; a step is handed its pictures."""

    resident = ()

    def __init__(self, pictures: Frames, drawing: Drawing) -> None:
        """`pictures` are `(n, height, width, channels)` uint8."""
        self._drawing, self._batches = drawing, drawing.batches
        self._reader = PrefetchingReader(pictures, drawing.indices, drawing.batch)

    def feeds(self, step: int, steps: int) -> Iterable[Any]:
        most = max(1, self._reader.most // self._batches)
        for done in range(0, steps, most):
            part = min(most, steps - done)
            taken = self._reader.take((step + done) * self._batches, part * self._batches)
            yield from taken.reshape(part, self._batches, *taken.shape[1:])

    def of_step(self, resident: Any, feed: Any, detours: Any, step: Any) -> Any:  # noqa: ARG002
        if self._drawing.window is None:
            return feed
        batches, count, *picture = feed.shape
        indices = jnp.arange(batches * count).reshape(batches, count)
        return self._drawing.seen(feed.reshape(-1, *picture), indices, detours, step)

    def forget(self) -> None:
        self._reader.forget()
