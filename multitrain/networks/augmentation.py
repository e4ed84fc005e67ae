"""Differentiable augmentation: what the discriminator is shown, changed at random.

Zhao et al. 2020, https://arxiv.org/abs/2006.10738, with the ranges given there. Pictures are
`(n, height, width, channels)` float32 in [-1, 1]; each is changed by draws of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jobs.settings.kinds import Augmentation
from multitrain.networks.regularization import RandomLayer

MOST_TRANSLATION = 1 / 8  # of a side
CUTOUT = 1 / 2  # of a side


class DiffAugment(RandomLayer):
    """Changes pictures in training, in the order of `kinds`.

    Colours are changed as plain numbers, whatever they mean in the job's colour model: all values
    of a pixel but its alpha, so hues turn, too.
    """

    def __init__(
        self, kinds: Sequence[Augmentation], has_alpha: bool, seed: int, **kw: Any
    ) -> None:
        super().__init__(seed, dtype="float32", **kw)
        self.kinds, self.has_alpha = tuple(kinds), has_alpha

    def disturb(self, inputs: Any) -> Any:
        """Change pictures in [-1, 1]; the results may leave that range."""
        changes = {"color": self._recolour, "translation": self._translate, "cutout": self._cut}
        for kind in self.kinds:
            inputs = changes[kind](inputs)
        return inputs

    def _recolour(self, pictures: Any) -> Any:
        colours = pictures[..., :-1] if self.has_alpha else pictures
        colours = brighten(colours, self._uniform(pictures, -0.5, 0.5))
        if colours.shape[-1] > 1:
            colours = saturate(colours, self._uniform(pictures, 0.0, 2.0))
        colours = contrast(colours, self._uniform(pictures, 0.5, 1.5))
        if not self.has_alpha:
            return colours
        return ops.concatenate([colours, pictures[..., -1:]], axis=-1)

    def _translate(self, pictures: Any) -> Any:
        for axis in (1, 2):
            most = round(pictures.shape[axis] * MOST_TRANSLATION)
            pictures = shift(pictures, self._integers(pictures, -most, most), most, axis)
        return pictures

    def _cut(self, pictures: Any) -> Any:
        centres = [self._integers(pictures, 0, pictures.shape[axis] - 1) for axis in (1, 2)]
        return cut_out(pictures, *centres)

    def _uniform(self, pictures: Any, low: float, high: float) -> Any:
        """A number for each picture, `(n, 1, 1, 1)`."""
        return keras.random.uniform((ops.shape(pictures)[0], 1, 1, 1), low, high, seed=self.draws)

    def _integers(self, pictures: Any, low: int, high: int) -> Any:
        """A whole number for each picture, `(n,)` int32, `high` included."""
        shape = (ops.shape(pictures)[0],)
        return keras.random.randint(shape, low, high + 1, dtype="int32", seed=self.draws)


def brighten(pictures: Any, by: Any) -> Any:
    """Add `by`, `(n, 1, 1, 1)`, to all values of each picture."""
    return pictures + by


def saturate(pictures: Any, factor: Any) -> Any:
    """Multiply the distances of values from their pixel's mean by `factor`, `(n, 1, 1, 1)`."""
    grey = ops.mean(pictures, axis=-1, keepdims=True)
    return (pictures - grey) * factor + grey


def contrast(pictures: Any, factor: Any) -> Any:
    """Multiply the distances of values from their picture's mean by `factor`, `(n, 1, 1, 1)`."""
    mean = ops.mean(pictures, axis=(1, 2, 3), keepdims=True)
    return (pictures - mean) * factor + mean


def shift(pictures: Any, by: Any, most: int, axis: int) -> Any:
    """Move each picture down (`axis` 1) or right (2) by whole pixels; zeros come in.

    `by` is `(n,)` in [-most, most]. Pictures move by powers of two, one after the other, where
    their own number has that bit: neither this nor its gradient gathers or scatters, which is slow
    on GPUs, and there not always exact.
    """
    side, bits = pictures.shape[axis], (2 * most).bit_length()
    padding = [(0, 0)] * len(pictures.shape)
    padding[axis] = (most, 2**bits - 1 - most)
    moved = ops.pad(pictures, padding)
    start = ops.reshape(most - by, (-1, 1, 1, 1))
    for bit in range(bits):
        chosen = ops.equal(ops.bitwise_and(ops.right_shift(start, bit), 1), 1)
        length = moved.shape[axis] - 2**bit
        moved = ops.where(chosen, _part(moved, 2**bit, length, axis), _part(moved, 0, length, axis))
    return _part(moved, 0, side, axis)


def cut_out(pictures: Any, row: Any, column: Any) -> Any:
    """Zeros in a rectangle around each picture's `(row, column)`, as far as it lies within."""
    inside = [_near(centre, pictures.shape[axis]) for axis, centre in ((1, row), (2, column))]
    hole = ops.logical_and(inside[0][:, :, None, None], inside[1][:, None, :, None])
    return ops.where(hole, ops.zeros_like(pictures), pictures)


def _near(centres: Any, side: int) -> Any:
    """Which of `side` places lie in the cut around each of `centres`, `(n, side)`."""
    length = round(side * CUTOUT)
    offsets = ops.arange(side, dtype="int32")[None] - centres[:, None] + length // 2
    return ops.logical_and(offsets >= 0, offsets < length)


def _part(values: Any, start: int, length: int, axis: int) -> Any:
    return values[(slice(None),) * axis + (slice(start, start + length),)]
