"""What a sender writes: frames as they are coded, and new weights where these are worth it. Pure.

It holds the decoder's weights as the receiver has them: both ends compute with the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from multitrain.codec.stream import Kind, StreamWriter
from multitrain.codec.weights import Weights, change, read_change, read_whole, whole

DECIBELS_PER_BIT = 20.0 * math.log10(2.0)  # of each value: half the step is a quarter of the error


class Offer(NamedTuple):
    """Weights that might be sent: their bytes, and what the receiver would make of them."""

    payload: bytes
    weights: Weights


class Gain(NamedTuple):
    """How many dB new weights are better than those sent, on the newest frames and on all."""

    newest: float
    kept: float

    @property
    def sure(self) -> float:
        """What is gained on both."""
        return min(self.newest, self.kept)

    @property
    def at_best(self) -> float:
        """What is gained on one of them; below 0: both are worse."""
        return max(self.newest, self.kept)


def bytes_saved(gain: float, values: int) -> float:
    """Of a frame of so many latents: what it would need more to be so many dB better.

    At high rates, each bit more of every value halves the step (Bennett 1948, "Spectra of quantized
    signals").
    """
    return values * gain / DECIBELS_PER_BIT / 8


def is_worth(gain: Gain, payload: int, values: int, life: int) -> bool:
    """Whether weights of so many bytes save more than that in the frames of their life."""
    return gain.sure > 0 and bytes_saved(gain.sure, values) * life > payload


@dataclass
class Sender:
    """Writes packets, one frame after the other.

    - writer: where they go.
    - weights: of the decoder, as the receiver has them; `version` counts them from 0.
    - frame: the number of the next frame.
    """

    writer: StreamWriter
    weights: Weights
    version: int
    frame: int
    _is_key: bool = False  # the next frame

    @classmethod
    def beginning(cls, writer: StreamWriter, weights: Weights) -> Sender:
        """One that has sent these weights, and no frame."""
        sender = cls(writer, weights, version=-1, frame=0)
        sender.send_whole()
        return sender

    def send_whole(self) -> None:
        """Send the same weights again, all of them: whoever comes late begins with the next frame.

        They are rounded to float16 for it.
        """
        payload = whole(self.weights)
        shapes = {name: each.shape for name, each in self.weights.items()}
        self.version, self.weights = self.version + 1, read_whole(payload, shapes)
        self.writer.write(Kind.WEIGHTS, self.version, self.frame, payload)
        self._is_key = True

    def send_frame(self, payload: bytes) -> None:
        """Send the next frame, coded by the encoder of the version that is sent."""
        kind = Kind.KEY if self._is_key else Kind.FRAME
        self.writer.write(kind, self.version, self.frame, payload)
        self.frame, self._is_key = self.frame + 1, False

    def offer(self, weights: Weights) -> Offer:
        """What sending these weights would come to."""
        payload = change(self.weights, weights)
        return Offer(payload, read_change(payload, self.weights))

    def send_weights(self, offer: Offer) -> None:
        """Send them: the frames that follow are for these."""
        self.version, self.weights = self.version + 1, offer.weights
        self.writer.write(Kind.CHANGE, self.version, self.frame, offer.payload)
