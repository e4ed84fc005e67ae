"""The way through latent space to a song, as latents by the number of the frame. Pure.

From keyframe to keyframe it goes as `LatentPath` does, at an even pace, so that it is at each one
when its beat is heard. Then three latents of their own, one for each band, are mixed in as far as
the bands are loud: the squares of all shares add up to 1, so what is drawn stays as likely as any.
What is mixed is moved towards the mean latent where the song is quiet: the way becomes narrow, and
the pictures more alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jobs.settings.loops import PathName
from multitrain.walking.latent_path import Floats, as_drawn, shares_at
from multitrain.walking.schedule import Schedule

MIXED = 4  # keyframes that a latent is mixed of
LIKE_REGION = 0.8  # how much latents of a section have of what they have in common
OWN = (1 - LIKE_REGION**2) ** 0.5
BANDS = 3


@dataclass(frozen=True, eq=False)
class SongPath:
    """A way of as many frames as the schedule has."""

    schedule: Schedule
    samples: int  # each goes a way of its own
    length: int  # of a latent
    distribution: str  # `uniform` in [-1, 1], or `normal`
    sway: float  # how far all bands together pull at most: a share below 1
    has_regions: bool = False  # one for each section of the song
    seed: int = 0
    path: PathName = "spherical"

    def at(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """The latents of these frames: `(len(numbers), samples, length)` float32."""
        frame = np.asarray(numbers) % self.schedule.frames
        key, gone = np.divmod(self.schedule.places[frame], 1)
        shares = np.roll(shares_at(gone, MIXED, self.path), 1, axis=1)  # of the key before first
        near = (key.astype(np.int64)[:, np.newaxis] + np.arange(MIXED)) % len(self._regions)
        mixed = np.einsum("nk,nksl->nsl", shares, self._keys[near])
        if self.has_regions:
            mixed = OWN * mixed + LIKE_REGION * self._middles_at(shares, self._regions[near])
        pulls = self.sway / np.sqrt(BANDS) * self.schedule.pulls[frame]
        rest = np.sqrt(1 - np.square(pulls).sum(axis=1))[:, np.newaxis, np.newaxis]
        mixed = rest * mixed + np.tensordot(pulls, self._bands, axes=1)
        width = self.schedule.width[frame, np.newaxis, np.newaxis]
        return as_drawn(width * mixed, self.distribution)

    def _middles_at(self, shares: Floats, regions: NDArray[np.int64]) -> Floats:
        """What sections have in common, mixed: `(n, samples, length)`; both `(n, MIXED)`.

        On a spherical path, shares of one section are added up before their squares are.
        """
        if self.path == "spherical":
            is_same = regions[:, :, np.newaxis] == regions[:, np.newaxis, :]
            squares = np.einsum("ni,nj,nij->n", shares, shares, is_same.astype(np.float64))
            shares = shares / np.sqrt(squares)[:, np.newaxis]
        middles: Floats = np.einsum("nk,nksl->nsl", shares, self._middles[regions])
        return middles

    @cached_property
    def _regions(self) -> NDArray[np.int64]:
        """The section of each keyframe, that before the first one first.

        Of a way that is not closed, there are three more than keyframes of the schedule.
        """
        regions = self.schedule.regions
        return np.roll(regions, 1) if self.schedule.closed else np.pad(regions, (1, 2), mode="edge")

    @cached_property
    def _keys(self) -> Floats:
        return self._drawn(len(self._regions), 0)

    @cached_property
    def _bands(self) -> Floats:
        """What each band pulls to."""
        return self._drawn(BANDS, 1)

    @cached_property
    def _middles(self) -> Floats:
        """What the latents of each section have in common."""
        return self._drawn(int(self._regions.max()) + 1, 2)

    def _drawn(self, count: int, what_for: int) -> Floats:
        """Normal latents: `(count, samples, length)`."""
        random = np.random.default_rng((self.seed, what_for))
        return random.standard_normal((count, self.samples, self.length))
