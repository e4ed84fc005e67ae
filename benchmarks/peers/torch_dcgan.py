"""A DCGAN in PyTorch, written for speed as its users write one; a unit is a training step.

The work is that of our own step: the same layers, batch normalisation, losses and Adam, one
generator pass for both updates, the sample grid as uint8 in this process after each update.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.flops import halved
from benchmarks.peers import torch_training
from jobs.workspace.jobfile import JobFile

WARM_UP = 3  # steps; the first ones compile
RECOMPILATIONS = 64


class Training(torch_training.Training):
    """A generator and a discriminator."""

    def __init__(self, job: JobFile, pictures: Any, compiles: bool = False) -> None:
        import torch
        import torch._dynamo

        super().__init__(spec := job.spec, pictures)
        self._g, self._d = map(self._prepared, (generator(job), discriminator(job)))
        self._adam_g = self._adam(self._g.parameters(), spec.learning_rate_g, spec.beta1_g)
        self._adam_d = self._adam(self._d.parameters(), spec.learning_rate_d, spec.beta1_d)
        self._generate, self._judge = self._g, self._d
        if compiles:
            # Two networks, each in several modes: with the default, some would run uncompiled.
            torch._dynamo.config.recompile_limit = RECOMPILATIONS
            self._generate, self._judge = torch.compile(self._g), torch.compile(self._d)
        self._loss = torch.nn.BCEWithLogitsLoss()
        self._ones = torch.ones(spec.images_per_batch, 1)
        self._zeros = torch.zeros(spec.images_per_batch, 1)
        self._grid = self._latents(spec.samples)

    def step(self) -> list[Any]:
        reals = self._reals()
        self._d.requires_grad_(True)
        self._adam_d.zero_grad(set_to_none=True)
        with self._precision():
            fakes = self._generate(self._latents(len(reals)))
            loss_d = self._loss(self._judge(reals), self._ones)
            loss_d = loss_d + self._loss(self._judge(fakes.detach()), self._zeros)
        loss_d.backward()
        self._adam_d.step()
        frames = [self._shown()] if self._spec.frames_per_step == 2 else []

        self._d.requires_grad_(False)  # no gradients of its weights, where only G learns
        self._adam_g.zero_grad(set_to_none=True)
        with self._precision():
            loss_g = self._loss(self._judge(fakes), self._ones)
        loss_g.backward()
        self._adam_g.step()
        frames.append(self._shown())
        return frames

    def _latents(self, count: int) -> Any:
        return self._torch.rand(count, self._spec.z_dim) * 2 - 1

    def _shown(self) -> Any:
        self._g.eval()
        frame = self._frame(self._generate, self._grid)
        self._g.train()
        return frame


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


if __name__ == "__main__":
    torch_training.main("torch_dcgan", WARM_UP, Training, partial(Training, compiles=True))
