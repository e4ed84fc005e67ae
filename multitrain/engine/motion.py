"""Latents, and how those that frames show move: pure functions of the frame's number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from keras import ops

from jobs.settings.choices import LatentMotion
from jobs.settings.spec import JobSpec
from multitrain.engine.model import Chance

FINE = 4096.0  # parts of 1, small enough that odd or even is random


@dataclass(frozen=True)
class Latents:
    """The vectors that samples are made of."""

    length: int
    distribution: Literal["uniform", "normal"]  # uniform in [-1, 1]
    motion: LatentMotion

    @classmethod
    def of(cls, spec: JobSpec) -> Latents:
        return cls(spec.z_dim, spec.z_distribution, spec.latent_motion)

    @property
    def chance(self) -> Chance:
        """How they are drawn."""
        return Chance((self.length,), self.distribution, -1.0, 1.0)


def at_frames(grid: Any, latents: Latents, first: Any, frames: int, fps: int) -> Any:
    """The latents of `frames` frames from number `first` on: `(frames, samples, length)` float32.

    `grid`, `(samples, length)`, is shown by frame 0, and by every frame a period later. On its way
    each latent keeps its distribution.
    """
    if latents.motion.name == "fixed":
        return ops.broadcast_to(grid, (frames, *grid.shape))
    period = max(1, round(latents.motion["period"] * fps))
    numbers = (first + ops.arange(frames, dtype="int32")) % period
    turns = ops.reshape(ops.cast(numbers, "float32") / period, (frames, 1, 1))
    move = _reflected if latents.distribution == "uniform" else _rotated
    return move(grid, turns)


def _reflected(grid: Any, turns: Any) -> Any:
    """Each value runs up and down through [-1, 1], once in a turn, so it stays uniform."""
    # A random half start upwards: else all would soon be on the same side of 0.
    upwards = ops.mod(ops.floor(grid * FINE), 2.0)
    phases = ops.mod((1.0 - grid) / 2.0 + 2.0 * turns * (1.0 - 2.0 * upwards), 2.0)
    moved = 2.0 * ops.abs(phases - 1.0) - 1.0  # falls from 1 to -1 and rises again
    return ops.where(turns == 0.0, grid, moved)


def _rotated(grid: Any, turns: Any) -> Any:
    """Each pair of values turns around 0, once in a turn, so it stays normal.

    Of an odd number of values, the last one rests.
    """
    samples, length = grid.shape
    paired = length - length % 2
    pairs = ops.reshape(grid[:, :paired], (samples, -1, 2))
    partners = ops.reshape(ops.stack([-pairs[..., 1], pairs[..., 0]], axis=-1), (samples, -1))
    angles = 2.0 * math.pi * turns
    moved = grid[:, :paired] * ops.cos(angles) + partners * ops.sin(angles)
    resting = ops.broadcast_to(grid[:, paired:], (moved.shape[0], samples, length - paired))
    return ops.concatenate([moved, resting], axis=-1)
