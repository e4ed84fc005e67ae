"""A FastGAN in PyTorch, written for speed as its users write one; a unit is a training step.

The work is that of our own step: the same layers, read from their plan, the same losses, Adam,
augmentation and average of weights, one generator pass for both updates, the sample grid as uint8
in this process after each update. Pictures are enlarged by `nn.Upsample` before they are convolved.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from benchmarks.peers import torch_training
from jobs.families.fastgan import layers as plans
from jobs.families.layer import Layer
from jobs.workspace.jobfile import JobFile

WARM_UP = 2  # steps
HALVES = 0.5**0.5


class Training(torch_training.Training):
    """A generator and its average, a discriminator and its decoders."""

    def __init__(self, job: JobFile, pictures: Any) -> None:
        import torch

        super().__init__(spec := job.spec, pictures)
        size = job.image_width, job.image_height
        self._decoders = plans.decoders(spec, *size)
        self._top = len(plans.levels(*size)) - 1
        networks = (
            generator(plans.generator(spec, *size)),
            discriminator(plans.discriminator(spec, *size)),
            torch.nn.ModuleList([decoder(self._decoders.whole), decoder(self._decoders.part)]),
        )
        self._g, self._d, self._decode = map(self._prepared, networks)
        self._average = copy.deepcopy(self._g).eval()
        self._adam_g = self._adam(self._g.parameters(), spec.learning_rate_g, spec.beta1_g)
        of_d = [*self._d.parameters(), *self._decode.parameters()]
        self._adam_d = self._adam(of_d, spec.learning_rate_d, spec.beta1_d)
        self._grid = torch.randn(spec.samples, spec.z_dim)

    def step(self) -> list[Any]:
        torch, relu = self._torch, self._torch.nn.functional.relu
        reals = augmented(self._reals())
        self._d.requires_grad_(True)
        self._adam_d.zero_grad(set_to_none=True)
        with self._precision():
            fakes = self._g(torch.randn(len(reals), self._spec.z_dim))
            logits, middle, deep = self._d(reals)
            of_fakes, _, _ = self._d(augmented(fakes.detach().float()))
        loss_d = relu(1 - logits.float()).mean() + relu(1 + of_fakes.float()).mean()
        loss_d = loss_d + self._reconstruction(reals, middle, deep)
        loss_d.backward()
        self._adam_d.step()
        frames = [self._frame(self._average, self._grid)] if self._spec.frames_per_step == 2 else []

        self._d.requires_grad_(False)  # no gradients of its weights, where only G learns
        self._adam_g.zero_grad(set_to_none=True)
        with self._precision():
            of_fakes, _, _ = self._d(augmented(fakes.float()))
        (-of_fakes.float().mean()).backward()
        self._adam_g.step()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self._average.parameters()), list(self._g.parameters()), 1 - self._spec.ema
            )
            for average, now in zip(self._average.buffers(), self._g.buffers(), strict=True):
                average.copy_(now)
        frames.append(self._frame(self._average, self._grid))
        return frames

    def _reconstruction(self, reals: Any, middle: Any, deep: Any) -> Any:
        torch, pool = self._torch, self._torch.nn.functional.avg_pool2d
        doublings = len(self._decoders.whole.stages)
        rows, columns = self._decoders.window
        top, left = (
            int(torch.randint(side - wide + 1, ()))
            for side, wide in zip(middle.shape[2:], (rows, columns), strict=True)
        )
        with self._precision():
            whole = self._decode[0](deep)
            part = self._decode[1](middle[:, :, top : top + rows, left : left + columns])
        small = pool(reals, 2 ** (self._top - plans.DEEP - doublings))
        times = 2 ** (self._top - plans.MIDDLE - doublings)
        fine = pool(reals, times) if times > 1 else reals
        scale = 2**doublings
        wanted = fine[
            :, :, top * scale : (top + rows) * scale, left * scale : (left + columns) * scale
        ]
        return apart(torch.tanh(whole.float()), small) + apart(torch.tanh(part.float()), wanted)


def apart(made: Any, wanted: Any) -> Any:
    """Mean differences of values and of slopes."""
    difference = made - wanted
    return (
        difference.abs().mean()
        + difference.diff(dim=2).abs().mean()
        + difference.diff(dim=3).abs().mean()
    )


def augmented(pictures: Any) -> Any:
    """Brightness, saturation, contrast and translation by chance."""
    import torch

    count, _, height, width = pictures.shape

    def uniform(low: float, high: float) -> Any:
        return torch.rand(count, 1, 1, 1) * (high - low) + low

    pictures = pictures + uniform(-0.5, 0.5)
    grey = pictures.mean(dim=1, keepdim=True)
    pictures = (pictures - grey) * uniform(0, 2) + grey
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    pictures = (pictures - mean) * uniform(0.5, 1.5) + mean
    most = [round(side / 8) for side in (height, width)]
    padded = torch.nn.functional.pad(pictures, (most[1], most[1], most[0], most[0]))
    moved = [
        padded[number, :, top : top + height, left : left + width]
        for number, (top, left) in enumerate(
            zip(
                torch.randint(2 * most[0] + 1, (count,)).tolist(),
                torch.randint(2 * most[1] + 1, (count,)).tolist(),
                strict=True,
            )
        )
    ]
    return torch.stack(moved).contiguous(memory_format=torch.channels_last)


def convolution(layer: Layer) -> Any:
    """A convolution with its normalization and activation; noise is the generator's."""
    from torch import nn

    assert layer.kernel
    side = layer.kernel[0]
    parts: list[Any] = []
    stride, padding = layer.stride, (side - 1) // 2
    if layer.kind == "fused-upconv":
        parts, stride = [nn.Upsample(scale_factor=2)], 1
    elif layer.kind == "pooled-conv":
        parts, stride = [nn.AvgPool2d(2)], 1
    elif layer.kind == "excitation":
        padding = 0
    if side == 4 and stride == 1:  # one more pixel at the end
        parts, padding = [*parts, nn.ZeroPad2d((1, 2, 1, 2))], 0
    made = nn.Conv2d(layer.input.channels, layer.filters, side, stride, padding, bias=layer.bias)
    if layer.normalization == "spectral":
        torch_training.initialize(made)
        made = nn.utils.parametrizations.spectral_norm(made)
    parts.append(made)
    if layer.normalization == "batch":
        parts.append(nn.BatchNorm2d(layer.filters))
    if layer.injects_noise:
        parts.append(_noise())
    if layer.activation:
        activations: dict[str, Any] = {
            "lrelu": lambda: nn.LeakyReLU(0.2, inplace=True),
            "glu": lambda: nn.GLU(1),
            "sigmoid": nn.Sigmoid,
        }
        parts.append(activations[layer.activation.name]())
    return nn.Sequential(*parts)


def _noise() -> Any:
    import torch

    class Noise(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.strength = torch.nn.Parameter(torch.zeros(()))

        def forward(self, x: Any) -> Any:
            if not self.training:
                return x
            return x + self.strength * torch.randn_like(x[:, :1])

    return Noise()


def generator(plan: plans.Generator) -> Any:
    """Latents `(n, z_dim)` to pictures `(n, 3, height, width)` in [-1, 1]."""
    import torch
    from torch import nn

    class Generator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            start = plan.start
            shape = (start.filters, start.output.height, start.output.width)
            self.start = nn.Sequential(
                nn.Linear(start.input.channels, int(np.prod(shape)), bias=start.bias),
                nn.Unflatten(1, shape),
                nn.BatchNorm2d(start.filters),
                nn.GLU(1),
            )
            self.stages = nn.ModuleList(map(convolution, plan.stages))
            self.excitations = nn.ModuleDict(
                {
                    str(level): nn.Sequential(
                        nn.AdaptiveAvgPool2d(plans.SQUEEZED),
                        convolution(each.squeeze),
                        convolution(each.gate),
                    )
                    for level, each in plan.excitations.items()
                }
            )
            self.last = convolution(plan.last)

        def forward(self, latents: Any) -> Any:
            maps = [self.start(latents)]
            for level, stage in enumerate(self.stages, 1):
                x = stage(maps[-1])
                if excitation := plan.excitations.get(level):
                    x = x * self.excitations[str(level)](maps[excitation.source])
                maps.append(x)
            return torch.tanh(self.last(maps[-1]).float())

    return Generator()


def discriminator(plan: plans.Discriminator) -> Any:
    """Pictures `(n, 3, height, width)` to logits `(n, places)` and two maps."""
    import torch
    from torch import nn

    class Discriminator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = convolution(plan.first)
            self.blocks = nn.ModuleList(
                nn.ModuleList(
                    [
                        nn.Sequential(convolution(block.shrink), convolution(block.mix)),
                        convolution(block.skip),
                    ]
                )
                for block in plan.blocks
            )
            self.head = nn.Sequential(*map(convolution, plan.head))
            trunk = [*map(convolution, plan.trunk), convolution(plan.small_head)]
            self.small = nn.Sequential(nn.AvgPool2d(2**plan.small), *trunk)

        def forward(self, pictures: Any) -> Any:
            middle = x = self.first(pictures)
            for main, skip in self.blocks:
                middle = x
                x = (main(x) + skip(x)) * HALVES
            logits = [self.head(x).flatten(1), self.small(pictures).flatten(1)]
            return torch.cat(logits, 1), middle, x

    return Discriminator()


def decoder(plan: plans.Decoder) -> Any:
    """A map to a picture."""
    from torch import nn

    return nn.Sequential(*map(convolution, plan.layers))


if __name__ == "__main__":
    torch_training.main("torch_fastgan", WARM_UP, Training)
