"""How well frames come back, with weights of any version, all of them in one call."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from multitrain.codec.coding import Coding
from multitrain.codec.receiving import Picture
from multitrain.codec.weights import Weights
from multitrain.diagnosis.memory import memory_watched
from multitrain.inference.network import Placed
from multitrain.networks.colours import WHITE

BEST = 100.0  # dB, that a picture counts as which comes back as it was


def decibels(error: Any) -> NDArray[np.float64]:
    """PSNR of mean squared errors of levels, at most BEST."""
    least = WHITE**2 / 10 ** (BEST / 10)
    found: NDArray[np.float64] = 10.0 * np.log10(WHITE**2 / np.maximum(error, least))
    return found


def psnr(made: Picture, wanted: Picture) -> float:
    """Of one frame beside another, over all colours, in dB."""
    difference = made.astype(np.float64) - wanted
    return float(decibels(np.mean(difference**2)))


class Quality:
    """Measures what an encoder and a decoder make of frames, some at a time."""

    def __init__(self, coding: Coding, batch: int) -> None:
        """So many frames are computed at once."""
        self._coding, self._batch = coding, batch
        self._errors = coding.compiled(self._squared_errors)

    def of(self, encoder: Placed, decoder: Weights, frames: Any) -> NDArray[np.float64]:
        """The PSNR of each of the frames `(n, height, width, 3)` uint8, in dB: `(n,)`."""
        with memory_watched():
            placed = self._coding.place_decoder(decoder)
            errors = [
                np.asarray(self._errors(encoder, placed, ops.convert_to_tensor(some)))
                for some in np.split(frames, range(self._batch, len(frames), self._batch))
            ]
            return decibels(np.concatenate(errors))

    def _squared_errors(self, encoder: Placed, decoder: Placed, frames: Any) -> Any:
        made, _ = self._coding.made(decoder, self._coding.sent(encoder, frames), None)
        difference = ops.cast(made, "float32") - ops.cast(frames, "float32")
        return ops.mean(ops.square(difference), axis=(1, 2, 3))
