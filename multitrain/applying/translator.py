"""A job's network that makes pictures into pictures, for pictures of one size.

Each is made as if it were alone: in batches it comes out the same, to a level or so.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import cv2
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.settings.colours import CHANNELS, RGB, RGBA
from jobs.settings.kinds import Resolution
from multitrain.applying.asked import Asked
from multitrain.applying.recolouring import with_colours_of
from multitrain.applying.steadying import Statistics
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine.model import Applying
from multitrain.engine.session import State
from multitrain.families import MODULES
from multitrain.inference.network import Device, Placed, TrainedNetwork, share_of
from multitrain.networks.colours import WHITE
from multitrain.networks.normalization import steadied
from multitrain.networks.resizing import resized

Pictures = NDArray[Any]  # (n, height, width, 3 or 4), uint8 or uint16
MIRRORS = ((), (1,), (2,), (1, 2))  # the axes that are reversed; the first is the picture itself


class Translator:
    """The network that is asked for, for pictures of `size`, on a device that is set up.

    With alpha that the network knows nothing of, it makes the colours, and alpha stays as it is. In
    an ensemble, mirror images come out as mirror images: a picture is the mean of what is made of
    it and of its three mirror images, as Timofte et al. 2016, https://arxiv.org/abs/1511.02228,
    section 3.5, have it with the quarter turns as well.
    """

    def __init__(self, asked: Asked, device: Device, size: Resolution) -> None:
        """Raises OutOfMemory and MultitrainError."""
        job, fixed, name = asked.job, asked.fixed, asked.network
        describe = import_module(MODULES[job.spec.family]).describe_application
        self._tiling = asked.tiling(size)
        tile = self._tiling.tile
        some = {} if asked.channels is None else {"channels": asked.channels}
        self._applying: Applying = device.built(
            lambda: describe(fixed, tile, name, raw=asked.raw, **some)
        )
        self._network = TrainedNetwork(self._applying.network, name, job)
        self._mirrors = MIRRORS if asked.ensemble else MIRRORS[:1]
        self._strength, self._keeps_colours = asked.strength, asked.keep_colours
        self._channels = CHANNELS[job.spec.colour_model].picture
        self._make, self._mix = device.compiled(self._made), device.compiled(self._network.between)
        self._make_steady = device.compiled(self._made_steady)
        self._give, self._take = device.compiled(self._given), device.compiled(self._taken)
        self._answer = device.compiled(self._network.answer)
        self._make_between = device.compiled(self._made_between)

    def place(self, weights: State) -> Placed:
        """The network's part of these `starting_weights`, on the device. OriginUnfit if unfit."""
        return self._network.place(weights)

    def make(self, weights: Placed, pictures: Pictures) -> Pictures:
        """What the network makes of `(n, height, width, 3 or 4)` pictures, with as many bits."""

        def make(tiles: Pictures) -> Pictures:
            return np.asarray(self._make(weights, ops.convert_to_tensor(tiles)))

        with memory_watched():
            return self._finished(pictures, self._tiling.made(self._seen(pictures), make))

    @property
    def remembers(self) -> bool:
        """Whether something goes on from frame to frame."""
        return self._applying.remembered is not None

    def make_next(
        self, weights: Placed, frames: tuple[Pictures, Pictures, Pictures], memory: Any
    ) -> tuple[Pictures, Any]:
        """Of three frames in a row, what the network makes of the middle one; and what goes on.

        `memory` is what went on from the one before; None: nothing.
        """

        def answer(tiles: Any) -> Any:
            return np.asarray(self._answer(weights, ops.convert_to_tensor(tiles)))

        def answered(given: Any) -> Any:
            if self._tiling.is_whole:  # given may be several tensors
                return self._answer(weights, given)
            return ops.convert_to_tensor(self._tiling.made(np.asarray(given), answer))

        with memory_watched():
            seen = [ops.convert_to_tensor(self._seen(each)) for each in frames]
            if memory is None:
                assert self._applying.remembered, "it remembers"
                memory = self._applying.remembered.begin(frames[1])
            made, after = self._take(answered(self._give(*seen, memory)), seen[1])
            return self._finished(frames[1], np.asarray(made)), np.asarray(after)

    def make_between(
        self, weights: Placed, before: Pictures, after: Pictures, shares: NDArray[np.float32]
    ) -> Pictures:
        """Of `(n, height, width, 3 or 4)` pictures each, the frames at these `(n,)` shares of the
        way from one to the other.
        """
        with memory_watched():
            given = (ops.convert_to_tensor(self._seen(each)) for each in (before, after))
            made = self._make_between(weights, *given, ops.convert_to_tensor(shares))
            has_alpha = before.shape[-1] == RGBA
            clear = _mean(before, after, shares) if has_alpha else before
            return self._with_alpha_of(clear, np.asarray(made))

    def _finished(self, pictures: Pictures, made: Pictures) -> Pictures:
        """With the colours and the alpha that are to stay."""
        if self._keeps_colours:
            colours = with_colours_of(pictures[..., :RGB], made[..., :RGB])
            made = np.concatenate([colours, made[..., RGB:]], axis=-1)
        return self._with_alpha_of(pictures, made)

    def lowered(self, pictures: Pictures) -> Pictures:
        """What the network learns to make these pictures of, uint8."""
        lower = self._applying.lowered
        assert lower is not None, "it restores pictures of which low ones are made"
        with memory_watched():
            return np.asarray(lower(ops.convert_to_tensor(pictures))).astype(np.uint8)

    def make_steady(
        self, weights: Placed, pictures: Pictures, before: Statistics, share: float
    ) -> tuple[Pictures, Statistics]:
        """As `make`, of one picture, by statistics that are smoothed over those `before`.

        Also returns what they came to. `share` is how much of the picture's own is mixed in; it has
        all of them where there are none before.
        """
        with memory_watched():
            given = ops.convert_to_tensor(self._seen(pictures))
            made, after = self._make_steady(weights, given, before, share_of(share))
            return self._with_alpha_of(pictures, np.asarray(made)), after

    def between(self, a: Placed, b: Placed, share: float) -> Placed:
        """Weights at `share` of the way from `a` to `b`."""
        with memory_watched():
            mixed: Placed = self._mix(a, b, share_of(share))
            return mixed

    def _made_steady(
        self, weights: Placed, pictures: Any, before: Statistics, share: Any
    ) -> tuple[Any, Statistics]:
        with steadied(before, share) as statistics:
            return self._made(weights, pictures), statistics.after

    def _made(self, weights: Placed, pictures: Any) -> Any:
        levels = _levels(pictures)
        made = [ops.flip(self._of(weights, ops.flip(levels, axes)), axes) for axes in self._mirrors]
        return _as_deep(sum(made) / len(made), pictures)

    def _of(self, weights: Placed, levels: Any) -> Any:
        values = self._network.answer(weights, self._applying.to_network(levels))
        return self._mixed(values, levels)

    def _given(self, before: Any, now: Any, after: Any, memory: Any) -> Any:
        """What a network is given that remembers, of pictures."""
        assert self._applying.remembered, "it remembers"
        before, now, after = (
            self._applying.to_network(_levels(each)) for each in (before, now, after)
        )
        return self._applying.remembered.given(before, now, after, memory)

    def _taken(self, made: Any, now: Any) -> tuple[Any, Any]:
        """The picture, and what goes on, of what such a network has made."""
        assert self._applying.remembered, "it remembers"
        levels = _levels(now)
        values, memory = self._applying.remembered.taken(made, self._applying.to_network(levels))
        return _as_deep(self._mixed(values, levels), now), memory

    def _made_between(self, weights: Placed, before: Any, after: Any, shares: Any) -> Any:
        applying = self._applying
        assert applying.between, "it makes frames between two"
        made = []
        for axes in self._mirrors:
            one, other = (
                applying.to_network(ops.flip(_levels(each), axes)) for each in (before, after)
            )
            values = self._network.answer(weights, applying.between(one, other, shares))
            made.append(ops.flip(applying.to_levels(values), axes))
        return _as_deep(sum(made) / len(made), before)

    def _mixed(self, values: Any, levels: Any) -> Any:
        """The levels that the network's values are, with plain scaling mixed in."""
        made = self._applying.to_levels(values)
        if self._strength == 1.0:
            return made
        height, width = made.shape[1:3]
        plain = ops.clip(resized(levels[..., : made.shape[-1]], height, width), 0.0, WHITE)
        return plain + self._strength * (made - plain)

    def _seen(self, pictures: Pictures) -> Pictures:
        """With as many channels as the network knows; without alpha, they are opaque."""
        if pictures.shape[-1] >= self._channels:
            return pictures[..., : self._channels]
        white = np.iinfo(pictures.dtype).max
        opaque = np.full((*pictures.shape[:-1], 1), white, pictures.dtype)
        return np.concatenate([pictures, opaque], axis=-1)

    def _with_alpha_of(self, pictures: Pictures, made: Pictures) -> Pictures:
        if pictures.shape[-1] != RGBA or made.shape[-1] != RGB:
            return made
        height, width = made.shape[1:3]
        alpha = [
            cv2.resize(each, (width, height), interpolation=cv2.INTER_CUBIC)
            for each in pictures[..., -1]
        ]
        return np.concatenate([made, np.stack(alpha)[..., None]], axis=-1)


def _mean(before: Pictures, after: Pictures, shares: NDArray[np.float32]) -> Pictures:
    """So much of the second ones, the rest of the first."""
    share = shares[:, None, None, None]
    return np.round(before * (1 - share) + after * share).astype(before.dtype)


def _levels(pictures: Any) -> Any:
    """Of 8 bits, with fractions of deeper pictures."""
    return ops.cast(pictures, "float32") / _finer(pictures)


def _as_deep(levels: Any, pictures: Any) -> Any:
    """Pictures of these levels, with as many bits as those."""
    depth = str(keras.backend.standardize_dtype(pictures.dtype))
    return ops.cast(ops.round(levels * _finer(pictures)), depth)


def _finer(pictures: Any) -> float:
    """Levels of the pictures for one of 8 bits."""
    return float(np.iinfo(str(keras.backend.standardize_dtype(pictures.dtype))).max / WHITE)
