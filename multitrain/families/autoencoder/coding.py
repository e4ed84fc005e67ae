"""How pictures become whole numbers and pictures again: what training, films and files share.

Nothing here knows of training. Levels are float32 from 0 to 255, `(n, height, width, 3)`; latents
are `(n, height, width, channels)`; encoder and decoder are called as functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from jobs.families.autoencoder.layers import Coding, coding_of
from jobs.settings.colours import RGB, ColourSpace
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from multitrain.families.autoencoder.packing import Latents
from multitrain.families.autoencoder.remembering import begin
from multitrain.networks.colours import WHITE
from multitrain.networks.spaces import from_space, to_space

Network = Callable[[Any], Any]

MOST = 127  # what is sent is from -127 to 127, in a byte
MOST_HALF = 65504.0  # the largest number of float16


@dataclass(frozen=True)
class Coder:
    """The way from pictures to what is sent of them, and back.

    - step: of the whole numbers that are sent; 0: float16 is.
    - given, made: the colours that the encoder sees, and that the decoder makes.
    """

    plan: Coding
    step: float
    given: ColourSpace
    made: ColourSpace

    @classmethod
    def of(cls, spec: JobSpec, size: Resolution) -> Self:
        """That of a job, for pictures of any size that its networks take."""
        return cls(coding_of(spec, *size), spec.quantise, spec.input_colours, spec.output_colours)

    def seen(self, levels: Any) -> Any:
        """What the encoder is given, `(n, height, width, channels)` in [-1, 1]."""
        return to_space(self.given, levels[..., :RGB])

    def sent(self, latents: Any) -> Any:
        """What is sent of latents, as float32: whole numbers, or what float16 holds of them."""
        if self.step:
            return ops.clip(ops.round(latents / self.step), -MOST, MOST)
        half = ops.cast(ops.clip(latents, -MOST_HALF, MOST_HALF), "float16")
        return ops.cast(half, "float32")

    def received(self, sent: Any, channels: int | None = None) -> Any:
        """What the decoder is given of what was sent, of which the first `channels` count.

        Those that are missing are 0.
        """
        latents = sent * self.step if self.step else sent
        every = self.plan.latents.channels
        some = min(channels or every, latents.shape[-1])
        if some < latents.shape[-1]:
            latents = latents[..., :some]
        return latents if some == every else _with_zeros(latents, every - some)

    def disturbed(self, latents: Any, noise: Any) -> Any:
        """What takes the place of `received(sent(...))` in training, with noise from -0.5 to 0.5.

        Ballé et al. 2017, https://arxiv.org/abs/1611.01704: it moves numbers as far as rounding
        does, and has slopes.
        """
        if not self.step:
            return latents
        return self.step * ops.clip(latents / self.step + noise, -MOST, MOST)

    def levels(self, shares: Any) -> Any:
        """The levels of what the decoder has made, not rounded."""
        return ops.clip(from_space(self.made, values_of(shares)), 0.0, WHITE)

    def decoded(
        self, decoder: Network, received: Any, state: Any = None, frames: int = 1
    ) -> tuple[Any, Any]:
        """What the decoder makes of clips of so many frames, and what goes on from each clip.

        Frames stand one by one, as those of `received` do. `state` went on into the clips; None:
        they follow on nothing, or the decoder remembers nothing.
        """
        if not self.plan.remembers:
            return decoder(received), None
        clips = ops.reshape(received, (-1, frames, *received.shape[1:]))
        if state is None:
            state = begin(self.plan, clips.shape[0])
        made, state = decoder([clips, state])
        return made, state

    def encode(self, encoder: Network, pictures: Any) -> Latents:
        """What is sent of pictures, uint8 or levels: int8, or float16 where there is no step."""
        sent = self.sent(encoder(self.seen(ops.cast(pictures, "float32"))))
        return np.asarray(sent).astype(np.int8 if self.step else np.float16)

    def decode(self, decoder: Network, sent: Latents) -> Any:
        """The pictures of what was sent, or of its first channels, each by itself: uint8."""
        received = self.received(ops.convert_to_tensor(sent.astype(np.float32)))
        shares, _ = self.decoded(decoder, received)
        return ops.cast(ops.round(self.levels(shares)), "uint8")

    def composed(
        self, encoder: keras.Model, decoder: keras.Model, channels: int | None = None
    ) -> keras.Model:
        """One network of both, with what is lost between them."""
        inputs = keras.Input(encoder.input.shape[1:])
        received = self.received(self.sent(encoder(inputs)), channels)
        if not self.plan.remembers:
            return keras.Model(inputs, decoder(received))
        state = keras.Input(decoder.inputs[1].shape[1:])
        return keras.Model([inputs, state], decoder([received[:, None], state]))


def values_of(shares: Any) -> Any:
    """Of what the decoder makes, from 0 to 1, the values in [-1, 1]."""
    return 2.0 * shares - 1.0


def _with_zeros(latents: Any, channels: int) -> Any:
    return ops.pad(latents, [(0, 0), (0, 0), (0, 0), (0, channels)])
