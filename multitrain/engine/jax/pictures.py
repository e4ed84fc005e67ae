"""Where a training step finds its pictures: on the device, or read ahead and handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from multitrain.engine.feeds import OpenFeed
from multitrain.engine.going_on import Handed, Ways
from multitrain.engine.groups import Group, placed
from multitrain.engine.jax.random import Indices, items_of, windows
from multitrain.engine.model import Named
from multitrain.engine.reading import PrefetchingReader


@dataclass
class Drawing:
    """Which items of a group a step trains on: `batches` batches of `batch` items each."""

    seed: int
    group: Group
    batch: int
    batches: int  # per step
    detours: int = 0

    def items(self, first: int, batches: int) -> Indices:
        """The items of `batches` batches from number `first` on: `(batches * batch,)`."""
        is_stream = self.group.feeds[0].feed.latest > 0
        if is_stream or self.group.runs is not None:
            numbers = np.arange(first, first + batches)
            if is_stream:
                items = self.group.newest(numbers, self.batch, self.batches, self.detours)
            else:
                items, _ = self.group.in_order(numbers, self.batch, self.detours)
            in_order: Indices = items.ravel().astype(np.int32)
            return in_order
        start, count = first * self.batch, batches * self.batch
        name, mixture = self.group.name, self.group.mixture
        return items_of(self.seed, self.detours, name, start, count, mixture)

    def shares(self, detours: Any, step: Any) -> Any:
        """Traced: what places the window on the step's items, by chance: `(3, batches, batch)`."""
        return windows(self.seed, detours, self.group.name, step, self.batches, self.batch)


@dataclass(frozen=True)
class Seeing:
    """What steps see of one feed of a group."""

    drawing: Drawing
    feed: OpenFeed

    @property
    def count(self) -> int:
        """Pictures in a batch."""
        return self.drawing.batch * self.feed.frames

    def numbers(self, first: int, batches: int) -> NDArray[np.integer]:
        """The pictures of `batches` batches from number `first` on: `(batches * count,)`."""
        return self.feed.numbers_of(self.drawing.items(first, batches)).ravel()

    def seen(self, pictures: Any, indices: Any, shares: Any) -> Any:
        """Traced: what a step sees, `(batches, n, height, width, channels)`, of its pictures.

        They are at `indices`, `(batches, n)`, of `pictures`, `(m, height, width, channels)`;
        `shares` place the window.
        """
        window = self.drawing.group.window
        if window is None:
            return jnp.take(pictures, indices, axis=0, mode="clip")
        if self.feed.frames > 1:  # a clip is seen through one window
            shares = jnp.repeat(shares, self.feed.frames, axis=2)
        rows, columns = window.pixels(shares, self.drawing.group.scale(self.feed))
        which = indices[..., None, None], rows[..., None], columns[..., None, :]
        return pictures.at[which].get(mode="clip")

    def as_items(self, pictures: Any) -> Any:
        """`(batches, n * frames, ...)` as `(batches, n, frames, ...)`, where items are clips."""
        if self.feed.frames == 1:
            return pictures
        batches, _, *picture = pictures.shape
        return pictures.reshape(batches, self.drawing.batch, self.feed.frames, *picture)


class Pictures(Protocol):
    """A feed that steps draw from."""

    @property
    def resident(self) -> Any:
        """What is on the device all the time; an argument of every step."""

    def handed(self, step: int, steps: int) -> Iterable[Any]:
        """For each of `steps` steps from `step` on, what it needs besides what is `resident`."""

    def of_step(self, resident: Any, handed: Any, shares: Any) -> Any:
        """Traced: a step's pictures, `(batches, batch, height, width, channels)` uint8.

        `shares` place windows, where the feed has one.
        """

    def forget(self) -> None:
        """Drop what was read ahead, because the draws have changed."""


class PicturesInPlace:
    """The whole feed on the device; a step is handed indices."""

    def __init__(self, seeing: Seeing, resident: Any) -> None:
        """`resident` are its pictures as a JAX array."""
        self._seeing, self.resident = seeing, resident

    def handed(self, step: int, steps: int) -> Iterable[Any]:
        batches = self._seeing.drawing.batches
        indices = self._seeing.numbers(step * batches, steps * batches)
        return indices.reshape(steps, batches, self._seeing.count)

    def of_step(self, resident: Any, handed: Any, shares: Any) -> Any:
        return self._seeing.as_items(self._seeing.seen(resident, handed, shares))

    def forget(self) -> None:
        pass


class PicturesReadAhead:
    """A feed in the host's memory, or on its disk; a step is handed its pictures."""

    resident = ()

    def __init__(self, seeing: Seeing) -> None:
        self._seeing, self._batches = seeing, seeing.drawing.batches
        feed, ahead = seeing.feed, not seeing.feed.feed.is_live
        self._reader = PrefetchingReader(feed.pictures, seeing.numbers, seeing.count, ahead=ahead)

    def handed(self, step: int, steps: int) -> Iterable[Any]:
        most = max(1, self._reader.most // self._batches)
        for done in range(0, steps, most):
            part = min(most, steps - done)
            taken = self._reader.take((step + done) * self._batches, part * self._batches)
            yield from taken.reshape(part, self._batches, *taken.shape[1:])

    def of_step(self, resident: Any, handed: Any, shares: Any) -> Any:  # noqa: ARG002
        if self._seeing.drawing.group.window is None:
            return self._seeing.as_items(handed)
        batches, count, *picture = handed.shape
        indices = jnp.arange(batches * count).reshape(batches, count)
        one_by_one = handed.reshape(-1, *picture)
        return self._seeing.as_items(self._seeing.seen(one_by_one, indices, shares))

    def forget(self) -> None:
        self._reader.forget()


class Feeding:
    """All feeds that a model's steps draw from, each where it has its place."""

    def __init__(
        self,
        groups: Sequence[Group],
        drawn: Mapping[str, int],
        seed: int,
        batch: int,
        put: Callable[[Any], Any],
        device_bytes: int | None,
        on_device: bool | None,
    ) -> None:
        """`drawn` are the batches per step of each feed; `put` puts arrays on the devices.

        `on_device`: None: where they fit into `device_bytes` (None: any number).
        """
        in_place = placed(groups, device_bytes, on_device)
        self._ways = Ways(groups, drawn, seed, batch)
        self._drawings: dict[str, Drawing] = {}  # by feed
        self._pictures: dict[str, Pictures] = {}
        for group in groups:
            drawing = Drawing(seed, group, batch, group.batches(drawn))
            for feed in group.feeds:
                name, seeing = feed.feed.name, Seeing(drawing, feed)
                self._drawings[name] = drawing
                self._pictures[name] = (
                    PicturesInPlace(seeing, put(feed.pictures))
                    if name in in_place
                    else PicturesReadAhead(seeing)
                )

    def go_on_from(self, step: int, detours: int) -> None:
        """The draws are others now: those after so many detours, the last one before `step`."""
        self._ways.go_on_from(step, detours)
        for drawing in self._drawings.values():
            drawing.detours = detours
        for pictures in self._pictures.values():
            pictures.forget()

    @property
    def resident(self) -> Named:
        """What is on the device all the time; an argument of every step."""
        return {name: each.resident for name, each in self._pictures.items()}

    def handed(self, step: int, steps: int) -> Iterable[Handed]:
        """For each of `steps` steps from `step` on, what it needs besides what is `resident`."""
        told = self._ways.handed(step, steps, {})
        by_feed = zip(*(each.handed(step, steps) for each in self._pictures.values()), strict=True)
        for number, pictures in enumerate(by_feed):
            begins, shares = (
                {name: each[number] for name, each in of_block.items()}
                for of_block in (told.begins, told.shares)
            )
            yield Handed(dict(zip(self._pictures, pictures, strict=True)), begins, shares)

    def of_step(self, resident: Named, handed: Handed, detours: Any, step: Any) -> Named:
        """Traced: what a step is given, by feed."""

        def shares(drawing: Drawing) -> Any:
            if drawing.group.window is None:
                return None
            ahead = handed.shares.get(drawing.group.name)
            return drawing.shares(detours, step) if ahead is None else ahead

        pictures = {
            name: each.of_step(resident[name], handed.pictures[name], shares(self._drawings[name]))
            for name, each in self._pictures.items()
        }
        return pictures | dict(handed.begins)
