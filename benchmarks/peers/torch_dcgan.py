"""A DCGAN in PyTorch, written for speed as its users write one; a unit is a training step.

The work is that of our own step: the same layers, batch normalisation, losses and Adam, one
generator pass for both updates, the sample grid as uint8 in this process after each update.
"""

from __future__ import annotations

import argparse
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.flops import halved
from benchmarks.peers.answering import answer, share_cores
from jobs.workspace.jobfile import JobFile

WARM_UP = 3  # steps; the first ones compile
RECOMPILATIONS = 64


def main() -> None:
    """Train at request."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.torch_dcgan")
    parser.add_argument("--job", required=True, help="a JobFile as JSON")
    parser.add_argument("--pictures", type=Path, required=True, help=".npy, (n, h, w, 3) uint8")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    share_cores(given.cores)
    os.environ["OMP_NUM_THREADS"] = str(given.cores)
    import torch

    torch.set_num_threads(given.cores)
    training = Training(
        JobFile.model_validate_json(given.job), np.load(given.pictures), given.compile
    )
    for _ in range(WARM_UP):
        training.step()
    answer(training.run)


class Training:
    """Networks, optimizers and pictures; `step` trains both networks once."""

    def __init__(self, job: JobFile, pictures: Any, compiles: bool) -> None:
        import torch
        import torch._dynamo

        self._spec = spec = job.spec
        self._torch = torch
        self._pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2)  # channels last in memory
        self._g, self._d = (
            network.apply(_initialize).to(memory_format=torch.channels_last)
            for network in (generator(job), discriminator(job))
        )
        self._adam_g, self._adam_d = (
            torch.optim.Adam(network.parameters(), rate, (beta1, 0.999), fused=True)
            for network, rate, beta1 in (
                (self._g, spec.learning_rate_g, spec.beta1_g),
                (self._d, spec.learning_rate_d, spec.beta1_d),
            )
        )
        self._generate, self._judge = self._g, self._d
        if compiles:
            # Two networks, each in several modes: with the default, some would run uncompiled.
            torch._dynamo.config.recompile_limit = RECOMPILATIONS
            self._generate, self._judge = torch.compile(self._g), torch.compile(self._d)
        self._loss = torch.nn.BCEWithLogitsLoss()
        self._ones = torch.ones(spec.images_per_batch, 1)
        self._zeros = torch.zeros(spec.images_per_batch, 1)
        self._grid = self._latents(spec.samples)

    def run(self, steps: int) -> list[Any]:
        """The frames, `(frame_height, frame_width, 3)` uint8 arrays."""
        return [frame for _ in range(steps) for frame in self.step()]

    def step(self) -> list[Any]:
        """The frames after the discriminator's update and after the generator's."""
        torch, batch = self._torch, self._spec.images_per_batch
        chosen = self._pictures[torch.randint(len(self._pictures), (batch,))]
        reals = chosen.float().mul_(2 / 255).sub_(1)

        self._d.requires_grad_(True)
        self._adam_d.zero_grad(set_to_none=True)
        with self._precision():
            fakes = self._generate(self._latents(batch))
            loss_d = self._loss(self._judge(reals), self._ones)
            loss_d = loss_d + self._loss(self._judge(fakes.detach()), self._zeros)
        loss_d.backward()
        self._adam_d.step()
        frames = [self._frame()] if self._spec.frames_per_step == 2 else []

        self._d.requires_grad_(False)  # no gradients of its weights, where only G learns
        self._adam_g.zero_grad(set_to_none=True)
        with self._precision():
            loss_g = self._loss(self._judge(fakes), self._ones)
        loss_g.backward()
        self._adam_g.step()
        frames.append(self._frame())
        return frames

    def _precision(self) -> AbstractContextManager[Any]:
        if self._spec.precision == "bfloat16":
            context: AbstractContextManager[Any] = self._torch.autocast(
                "cpu", dtype=self._torch.bfloat16
            )
            return context
        return nullcontext()

    def _latents(self, count: int) -> Any:
        return self._torch.rand(count, self._spec.z_dim) * 2 - 1

    def _frame(self) -> Any:
        rows, columns = self._spec.grid_height, self._spec.grid_width
        self._g.eval()
        with self._torch.inference_mode(), self._precision():
            samples = self._generate(self._grid)
            light = samples.float().add(1).mul_(127.5).round_().clamp_(0, 255)
        self._g.train()
        _, channels, height, width = light.shape
        cells = light.to(self._torch.uint8).reshape(rows, columns, channels, height, width)
        frame = cells.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
        return frame.contiguous().numpy()


def generator(job: JobFile) -> Any:
    """Latents `(n, z_dim)` to pictures `(n, 3, height, width)` in [-1, 1]."""
    from torch import nn

    spec = job.spec
    depth = spec.nbr_of_layers_g
    sizes = [
        (halved(job.image_height, depth - 1 - layer), halved(job.image_width, depth - 1 - layer))
        for layer in range(depth)
    ]
    channels = [spec.gf_dim * 2 ** (depth - 2 - layer) for layer in range(depth - 1)] + [3]
    rows, columns = sizes[0]
    layers = [
        nn.Linear(spec.z_dim, rows * columns * channels[0], bias=False),
        nn.Unflatten(1, (channels[0], rows, columns)),
        nn.BatchNorm2d(channels[0]),
        nn.ReLU(inplace=True),
    ]
    for layer in range(1, depth):
        last = layer == depth - 1
        # What 2n - 1 pixels lack to the wanted size.
        missing: Any = tuple(
            wanted - (2 * given - 1)
            for wanted, given in zip(sizes[layer], sizes[layer - 1], strict=True)
        )
        kernel = (spec.k_h[0], spec.k_w[0])
        padding = (kernel[0] // 2, kernel[1] // 2)
        layers.append(
            nn.ConvTranspose2d(
                channels[layer - 1], channels[layer], kernel, 2, padding, missing, bias=last
            )
        )
        if last:
            layers.append(nn.Tanh())
        else:
            layers += [nn.BatchNorm2d(channels[layer]), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def discriminator(job: JobFile) -> Any:
    """Pictures `(n, 3, height, width)` to logits `(n, 1)`."""
    from torch import nn

    spec = job.spec
    depth = spec.nbr_of_layers_d
    layers: list[Any] = []
    channels = 3
    for layer in range(depth - 1):
        filters = spec.df_dim * 2**layer
        kernel = (spec.k_h[0], spec.k_w[0])
        padding = (kernel[0] // 2, kernel[1] // 2)
        layers.append(nn.Conv2d(channels, filters, kernel, 2, padding, bias=layer == 0))
        if layer:
            layers.append(nn.BatchNorm2d(filters))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        channels = filters
    rows, columns = halved(job.image_height, depth - 1), halved(job.image_width, depth - 1)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * rows * columns, 1))


def _initialize(module: Any) -> None:
    from torch import nn

    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)


if __name__ == "__main__":
    main()
