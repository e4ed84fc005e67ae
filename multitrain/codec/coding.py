"""Encoder and decoder at work on frames of one size, on a device that is set up."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from keras import ops

from jobs.errors import OriginUnfit
from jobs.families.autoencoder.plan import DECODER, ENCODER
from multitrain.codec.facts import Facts
from multitrain.codec.receiving import Picture
from multitrain.codec.weights import Shapes, Weights
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine.session import State
from multitrain.families.autoencoder.describing import build
from multitrain.families.autoencoder.packing import packed
from multitrain.families.autoencoder.remembering import begin
from multitrain.inference.network import Device, Placed, TrainedNetwork


class Coding:
    """Frames into what is sent of them, and back.

    Frames go one by one, so that both ends of a stream compute the same.
    """

    def __init__(self, facts: Facts, device: Device) -> None:
        """Raises OutOfMemory and MultitrainError."""
        self.facts, job = facts, facts.job
        self._coder, encoder, decoder = device.built(lambda: build(job.spec, facts.size))
        self._encoder = TrainedNetwork(encoder, ENCODER, job)
        self._decoder = TrainedNetwork(decoder, DECODER, job)
        self.shapes: Shapes = {each.path: tuple(each.shape) for each in decoder.variables}
        self._placed: tuple[int, Weights, Placed] | None = None
        self.compiled = device.compiled
        self._send, self._make = self.compiled(self.sent), self.compiled(self.made)
        self.remembers = self._coder.plan.remembers
        self._nothing = begin(self._coder.plan, 1) if self.remembers else None
        self._state = self._nothing  # what goes on from the frame that was decoded last

    def sent(self, encoder: Placed, frames: Any) -> Any:
        """What is sent of frames `(n, height, width, 3)`, as float32; to be compiled."""
        levels = ops.cast(frames, "float32")
        return self._coder.sent(self._encoder.answer(encoder, self._coder.seen(levels)))

    def made(self, decoder: Placed, sent: Any, state: Any) -> tuple[Any, Any]:
        """The frames of what was sent, uint8, and what goes on from them; to be compiled."""
        answer = partial(self._decoder.answer, decoder)
        shares, after = self._coder.decoded(answer, self._coder.received(sent), state)
        return ops.cast(ops.round(self._coder.levels(shares)), "uint8"), after

    def place_encoder(self, weights: State) -> Placed:
        """The encoder's part of a job's weights, on the device. OriginUnfit where they are not."""
        return self._encoder.place(weights)

    def weights_of_decoder(self, weights: State) -> Weights:
        """The decoder's part of a job's weights, in the order in which they are sent.

        OriginUnfit where it is another one's.
        """
        found = {name: weights.get(f"{DECODER}/{name}") for name in self.shapes}
        if any(each is None or each.shape != self.shapes[name] for name, each in found.items()):
            raise OriginUnfit(f"it is built otherwise than that of {self.facts.job.spec.name}")
        return {name: np.asarray(each, np.float32) for name, each in found.items()}

    def encoded(self, encoder: Placed, frame: Picture) -> bytes:
        """What is sent of a frame `(height, width, 3)` uint8."""
        with memory_watched():
            sent = np.asarray(self._send(encoder, ops.convert_to_tensor(frame[None])))[0]
        kind = np.int8 if self.facts.is_quantised else np.float16
        return packed(sent[..., : self.facts.channels].astype(kind))

    def decoded(self, weights: Weights, model: int, payload: bytes) -> Picture:
        """The frame of what was sent. UnusableFrame where it is none of this stream.

        A decoder that remembers goes on from the frame before, until it is told to `forget`.
        """
        latents = self.facts.unpacked(payload)
        with memory_watched():
            received = ops.convert_to_tensor(latents[None].astype(np.float32))
            made, self._state = self._make(self._held(weights, model), received, self._state)
            picture: Picture = np.asarray(made)[0]
        return picture

    def forget(self) -> None:
        """Have the next frame follow on none."""
        self._state = self._nothing

    def _held(self, weights: Weights, model: int) -> Placed:
        """A version of weights on the device: only the last one stays there."""
        if self._placed is None or self._placed[0] != model or self._placed[1] is not weights:
            self._placed = model, weights, self.place_decoder(weights)
        return self._placed[2]

    def place_decoder(self, weights: Weights) -> Placed:
        """A decoder's weights, on the device."""
        state: dict[str, Any] = {f"{DECODER}/{name}": array for name, array in weights.items()}
        return self._decoder.place(state)
