"""Draws pictures with a job's generator, as the frames of its training are drawn.

By the average of the weights where the job has one.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.families.table import family_of
from jobs.workspace.jobfile import JobFile
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine.model import Sampling
from multitrain.engine.session import Frames, SessionSettings, State
from multitrain.families import MODULES
from multitrain.inference.network import Device, Placed, TrainedNetwork, share_of


class Sampler:
    """A job's generator on one device, for frames of `rows` x `columns` samples."""

    def __init__(self, job: JobFile, settings: SessionSettings, rows: int, columns: int) -> None:
        """Keras' framework and its device are set up. Raises OutOfMemory and MultitrainError."""
        name = family_of(job.spec).sampler
        assert name, "walks are of families that draw samples"
        self._rows, self._columns = rows, columns
        device = Device(job, settings)
        self._sampling: Sampling = device.built(
            lambda: import_module(MODULES[job.spec.family]).describe_sampler(job)
        )
        self._network = TrainedNetwork(self._sampling.network, name, job)
        self._draw = device.compiled(self._frames)
        self._draw_between = device.compiled(self._frames_between)

    def place(self, weights: State) -> Placed:
        """The sampler's part of these `starting_weights`, on the device. OriginUnfit if unfit."""
        return self._network.place(weights)

    def draw(self, weights: Placed, latents: NDArray[np.float32]) -> Frames:
        """Draw latents `(n, samples, length)`.

        Returns frames `(n, frame_height, frame_width, channels)` uint8.
        """
        with memory_watched():
            return np.asarray(self._draw(weights, ops.convert_to_tensor(latents)))

    def draw_between(
        self, a: Placed, b: Placed, share: float, latents: NDArray[np.float32]
    ) -> Frames:
        """As `draw`, with weights at `share` of the way from `a` to `b`."""
        with memory_watched():
            arguments = (share_of(share), ops.convert_to_tensor(latents))
            return np.asarray(self._draw_between(a, b, *arguments))

    def _frames_between(self, a: Placed, b: Placed, share: Any, latents: Any) -> Any:
        return self._frames(self._network.between(a, b, share), latents)

    def _frames(self, weights: Placed, latents: Any) -> Any:
        frames, samples, length = latents.shape
        values = self._network.answer(weights, ops.reshape(latents, (frames * samples, length)))
        pictures = self._sampling.to_picture(values)
        height, width, channels = pictures.shape[1:]
        cells = (frames, self._rows, self._columns, height, width, channels)
        ordered = ops.transpose(ops.reshape(pictures, cells), (0, 1, 3, 2, 4, 5))
        return ops.reshape(ordered, (frames, self._rows * height, -1, channels))
