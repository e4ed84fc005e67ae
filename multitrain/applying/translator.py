"""A job's network that makes pictures into pictures, for pictures of one size.

Each is made as if it were alone: in batches it comes out the same, to a level or so.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.families.table import family_of
from jobs.settings.colours import CHANNELS, RGB, RGBA
from jobs.settings.kinds import Resolution
from jobs.workspace.jobfile import JobFile
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine.model import Applying
from multitrain.engine.session import State
from multitrain.families import MODULES
from multitrain.inference.network import Device, Placed, TrainedNetwork, share_of
from multitrain.networks.colours import WHITE

Pictures = NDArray[Any]  # (n, height, width, 3 or 4), uint8 or uint16
MIRRORS = ((), (1,), (2,), (1, 2))  # the axes that are reversed; the first is the picture itself


class Translator:
    """`network` of the job, for pictures of `size`, on a device that is set up.

    With alpha that the network knows nothing of, it makes the colours, and alpha stays as it is.
    `raw`: pictures are inputs as the network takes them, and nothing is made of them before. With
    an `ensemble`, mirror images come out as mirror images: a picture is the mean of what is made of
    it and of its three mirror images, as Timofte et al. 2016, https://arxiv.org/abs/1511.02228,
    section 3.5, have it with the quarter turns as well.
    """

    def __init__(
        self,
        job: JobFile,
        device: Device,
        size: Resolution,
        network: str,
        *,
        raw: bool = False,
        ensemble: bool = False,
    ) -> None:
        """Raises OutOfMemory and MultitrainError."""
        application = family_of(job.spec).application
        assert application, "its family makes pictures into pictures"
        fixed = application.fixed(job.spec, job.image_width, job.image_height)
        describe = import_module(MODULES[job.spec.family]).describe_application
        self._applying: Applying = device.built(lambda: describe(fixed, size, network, raw=raw))
        self._network = TrainedNetwork(self._applying.network, network, job)
        self._mirrors = MIRRORS if ensemble else MIRRORS[:1]
        self._channels = CHANNELS[job.spec.colour_model].picture
        self._make = device.compiled(self._made)
        self._make_between = device.compiled(self._made_between)

    def place(self, weights: State) -> Placed:
        """The network's part of these `starting_weights`, on the device. OriginUnfit if unfit."""
        return self._network.place(weights)

    def make(self, weights: Placed, pictures: Pictures) -> Pictures:
        """What the network makes of `(n, height, width, 3 or 4)` pictures, with as many bits."""
        with memory_watched():
            made = self._make(weights, ops.convert_to_tensor(self._seen(pictures)))
            return self._with_alpha_of(pictures, np.asarray(made))

    def make_between(self, a: Placed, b: Placed, share: float, pictures: Pictures) -> Pictures:
        """As `make`, with weights at `share` of the way from `a` to `b`."""
        with memory_watched():
            given = ops.convert_to_tensor(self._seen(pictures))
            made = self._make_between(a, b, share_of(share), given)
            return self._with_alpha_of(pictures, np.asarray(made))

    def _made_between(self, a: Placed, b: Placed, share: Any, pictures: Any) -> Any:
        return self._made(self._network.between(a, b, share), pictures)

    def _made(self, weights: Placed, pictures: Any) -> Any:
        depth = str(keras.backend.standardize_dtype(pictures.dtype))
        finer = np.iinfo(depth).max / WHITE  # levels of the picture for one of 8 bits
        levels = ops.cast(pictures, "float32") / finer
        made = [ops.flip(self._of(weights, ops.flip(levels, axes)), axes) for axes in self._mirrors]
        return ops.cast(ops.round(sum(made) / len(made) * finer), depth)

    def _of(self, weights: Placed, levels: Any) -> Any:
        values = self._network.answer(weights, self._applying.to_network(levels))
        return self._applying.to_levels(values)

    def _seen(self, pictures: Pictures) -> Pictures:
        """With as many channels as the network knows; without alpha, they are opaque."""
        if pictures.shape[-1] >= self._channels:
            return pictures[..., : self._channels]
        white = np.iinfo(pictures.dtype).max
        opaque = np.full((*pictures.shape[:-1], 1), white, pictures.dtype)
        return np.concatenate([pictures, opaque], axis=-1)

    def _with_alpha_of(self, pictures: Pictures, made: Pictures) -> Pictures:
        if pictures.shape[-1] == RGBA and made.shape[-1] == RGB:
            return np.concatenate([made, pictures[..., RGB:]], axis=-1)
        return made
