"""An autoencoder in PyTorch, written for speed as its users write it; a unit is a training step.

The work is that of our own step: the same layers, read from their plan, noise in place of rounding,
the mean of squares, Adam, the sample as uint8 in this process after each step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from benchmarks.peers import torch_training
from jobs.families.autoencoder.layers import SIGMOID, coding_of
from jobs.families.layer import Layer
from jobs.workspace.jobfile import JobFile

WARM_UP = 3  # steps
MOST = 127  # what is sent is a byte


class Training(torch_training.Training):
    """An encoder and a decoder, by one loss."""

    def __init__(self, job: JobFile, pictures: Any) -> None:
        super().__init__(spec := job.spec, pictures)
        plan = coding_of(spec, job.image_width, job.image_height)
        memory = self._torch.channels_last
        self._encoder = sequence(plan.encoder).to(memory_format=memory)
        self._decoder = sequence(plan.decoder).to(memory_format=memory)
        weights = [*self._encoder.parameters(), *self._decoder.parameters()]
        self._optimizer = self._adam(weights, spec.learning_rate_g, spec.beta1_g)
        self._sample = self._reals()[: spec.samples]

    def step(self) -> list[Any]:
        pictures = self._reals()
        self._optimizer.zero_grad(set_to_none=True)
        with self._precision():
            latents = self._encoder(pictures)
            noise = self._torch.rand_like(latents).sub_(0.5)
            made = self._values((latents + noise).clamp(-MOST, MOST))
        self._torch.nn.functional.mse_loss(made, pictures).backward()
        self._optimizer.step()
        return [self._frame(self._coded, self._sample)]

    def _coded(self, pictures: Any) -> Any:
        return self._values(self._encoder(pictures).round().clamp(-MOST, MOST))

    def _values(self, latents: Any) -> Any:
        return self._decoder(latents).float().sigmoid().mul(2).sub(1)


def sequence(layers: Sequence[Layer]) -> Any:
    """A module of planned convolutions without padding, one after the other."""
    from torch import nn

    made: list[Any] = []
    for layer in layers:
        made.append(_convolution(layer))
        if layer.activation and layer.activation != SIGMOID:
            made.append(nn.ReLU(inplace=True))
    return nn.Sequential(*made)


def _convolution(layer: Layer) -> Any:
    import torch
    from torch import nn

    assert layer.kernel is not None, "all are convolutions"
    side, channels, stride = layer.kernel[0], layer.input.channels, layer.stride
    if layer.kind == "deconv":
        given, wanted = layer.input, layer.output
        beyond = [
            whole - (some - 1) * stride - side
            for whole, some in ((wanted.height, given.height), (wanted.width, given.width))
        ]
        convolution: Any = nn.ConvTranspose2d(
            channels, layer.filters, side, stride, output_padding=tuple(beyond)
        )
        meets = channels * side**2 / stride**2
    else:
        convolution = nn.Conv2d(channels, layer.filters, side, stride)
        meets = channels * side**2
    with torch.no_grad():
        convolution.weight.normal_(0.0, math.sqrt(2 / meets))
        convolution.bias.zero_()
    return convolution


if __name__ == "__main__":
    torch_training.main("torch_autoencoder", WARM_UP, Training)
