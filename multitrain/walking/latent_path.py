"""A closed way through latent space, as latents by the number of the frame. Pure.

On the way stand keyframes, drawn by a seed. Between them a latent is a mixture of the four nearest
ones, with the shares of a periodic cubic (Catmull and Rom 1974, "A class of local interpolating
splines"), so it passes through each keyframe without a corner. Going at an even pace, all steps
from frame to frame are about as long, that from the last to the first one, too.

On a `spherical` path the squares of the shares add up to 1: then a mixture of independent normal
latents is normal, with deviation 1, however many values it has. So every picture on the way is as
likely as any that the network was trained to make. On a `cubic` path the shares add up to 1
themselves: it cuts the corners towards the mean, where pictures are more alike.

Uniform latents go the same way as normal ones, and come from there by the normal distribution's
cumulative function: they stay uniform, and never leave [-1, 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from jobs.settings.loops import PathName

Floats = NDArray[np.float64]

# Places on the way from a keyframe to the next, by which its length is measured.
FINE = np.linspace(0.0, 1.0, 4097)

# Rows: powers 1, t, t², t³ of the share t of the way from the second to the third of four points.
_CATMULL_ROM = np.array(
    [[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], np.float64
) / 2  # fmt: skip


@dataclass(frozen=True)
class LatentPath:
    """A closed way of `frames` frames: a frame and that `frames` later are equal, bit for bit."""

    frames: int
    keyframes: int  # at least 2
    samples: int  # each goes a way of its own
    length: int  # of a latent
    distribution: str  # `uniform` in [-1, 1], or `normal`
    seed: int = 0
    path: PathName = "spherical"

    def at(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """The latents of these frames: `(len(numbers), samples, length)` float32."""
        shares = np.stack([self._shares_at(number % self.frames) for number in numbers])
        return as_drawn(np.tensordot(shares, self._keys, axes=1), self.distribution)

    @cached_property
    def _keys(self) -> Floats:
        """Normal latents: `(keyframes, samples, length)`."""
        random = np.random.default_rng(self.seed)
        return random.standard_normal((self.keyframes, self.samples, self.length))

    def _shares_at(self, number: int) -> Floats:
        """How much of each keyframe a frame shows: `(keyframes,)`."""
        key, rest = divmod(number * self.keyframes, self.frames)
        shares = shares_at(np.array([rest / self.frames]), self.keyframes, self.path)[0]
        return np.roll(shares, key)


def shares_at(gone: Floats, keyframes: int, path: PathName) -> Floats:
    """How much of each keyframe is shown: `(n, keyframes)`, where such a share of the way from the
    first (0) to the next (1) is gone.
    """
    return _shares(np.interp(gone, _way(keyframes, path), FINE), keyframes, path)


def as_drawn(normal: Floats, distribution: str) -> NDArray[np.float32]:
    """Normal latents as a network of this distribution takes them."""
    return (_uniform(normal) if distribution == "uniform" else normal).astype(np.float32)


@lru_cache(8)
def _way(keyframes: int, path: PathName) -> Floats:
    """The share of the length from a keyframe to the next that is behind one at each of `FINE`.

    It is the same between all keyframes: the length is that of the shares themselves, by which
    latents that are drawn independently move.
    """
    shares = _shares(FINE, keyframes, path)
    steps = np.linalg.norm(np.diff(shares, axis=0), axis=1)
    way: Floats = np.concatenate([[0.0], np.cumsum(steps)])
    way /= way[-1]
    return way


def _shares(between: Floats, keyframes: int, path: PathName) -> Floats:
    """The shares of all keyframes, `(n, keyframes)`, `between` the first (0) and next (1)."""
    four = np.vander(between, 4, increasing=True) @ _CATMULL_ROM
    shares = np.zeros((len(between), keyframes))
    for place, column in zip((-1, 0, 1, 2), four.T, strict=True):
        shares[:, place % keyframes] += column  # of few keyframes, one has several places
    if path == "spherical":
        shares /= np.linalg.norm(shares, axis=1, keepdims=True)
    return shares


def _uniform(normal: Floats) -> Floats:
    """`2 * cdf - 1`, which is the error function of `normal / sqrt(2)`."""
    erf = np.frompyfunc(math.erf, 1, 1)
    return np.asarray(erf(normal / math.sqrt(2.0)), np.float64)
